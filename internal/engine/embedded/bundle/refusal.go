package bundle

import (
	"fmt"
	"strings"
	"sync"
)

// nodeModules are the names of Node's own modules.
const nodeModules = " assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel " +
	"dns domain events fs http http2 https inspector module net os path perf_hooks process punycode querystring " +
	"readline repl stream string_decoder sys timers tls trace_events tty url util v8 vm wasi worker_threads zlib "

// NodeModules are those of Node's modules that a realm has.
const NodeModules = "assert assert/strict buffer crypto events path path/posix perf_hooks process querystring stream/web string_decoder " +
	"timers timers/promises url util util/types"

const nodePrefix = "node:"

// provided returns the full name of a module of Node that a realm has, for an
// import with or without "node:".
func provided(specifier string) (module string, ok bool) {
	name := strings.TrimPrefix(specifier, nodePrefix)
	return nodePrefix + name, strings.Contains(" "+NodeModules+" ", " "+name+" ") && !strings.Contains(name, " ")
}

// missingPackage explains an import of a package that was not uploaded.
func missingPackage(specifier, name string) string {
	scheme, _, hasScheme := strings.Cut(name, ":")
	switch {
	case hasScheme && scheme == "node", strings.Contains(nodeModules, " "+name+" "):
		return fmt.Sprintf("%q is a part of Node, which the embedded engine does not have; code that needs it runs in an image (runtime \"docker\")", specifier)
	case hasScheme:
		return fmt.Sprintf("%q cannot be imported: modules named %s: are not available", specifier, scheme)
	default:
		return fmt.Sprintf("the package %q is not among the uploaded files; run \"npm install %s\" and deploy with \"flowwd deploy\", "+
			"which sends the files of node_modules that are imported", name, name)
	}
}

// explanations remembers why imports were not resolved. Safe for concurrent
// use.
type explanations struct {
	mu  sync.Mutex
	why map[importOf]string
}

type importOf struct{ file, specifier string }

func newExplanations() *explanations { return &explanations{why: map[importOf]string{}} }

func (e *explanations) add(file, specifier, why string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.why[importOf{file, specifier}] = why
}

func (e *explanations) of(file, specifier string) (string, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	why, ok := e.why[importOf{file, specifier}]
	return why, ok
}
