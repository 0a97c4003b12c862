package api

import (
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/route"
)

// named is what the path names where the router loads no object: nothing has an
// id that is none, and notFound says so.
func named(c route.Call[route.None], notFound string) (id.ID, error) {
	found, err := id.Parse(c.Param("id"))
	if err != nil {
		return id.ID{}, fault.New(fault.NotFound, "%s", notFound)
	}
	return found, nil
}
