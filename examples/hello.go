package examples

import _ "embed" // for the code of the example

//go:embed hello/main.ts
var hello string

// The example that answers a webhook.
const (
	HelloName  = "hello"
	HelloEntry = "main.ts"
	// HelloPath is that of its webhook, as its code names it.
	HelloPath = "hello"
)

// Hello returns its files by path.
func Hello() map[string]string { return map[string]string{HelloEntry: hello} }
