package main

import (
	"os"

	"github.com/usefloww/flowwd/internal/engine/docker/relay"
)

func main() {
	os.Exit(relay.Run(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
}
