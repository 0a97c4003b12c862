package execution

import "github.com/usefloww/flowwd/internal/fault"

// ErrLeaseLost refuses a write for an attempt that is no longer its writer's:
// the execution was taken back, ended, or runs elsewhere.
var ErrLeaseLost = fault.New(fault.Conflict, "this attempt of the execution is no longer yours")
