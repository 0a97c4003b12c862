package dev

import "context"

// Look does what is otherwise done every second.
func (s *Service) Look(ctx context.Context) { s.look(ctx) }
