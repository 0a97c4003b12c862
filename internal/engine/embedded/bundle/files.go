package bundle

import (
	"slices"
	"sync"

	"github.com/evanw/esbuild/pkg/api"
)

// Files is a tree of files. Paths are relative, with slashes, in their shortest
// form. Read is called from several goroutines at once.
type Files interface {
	// Read returns the text of a file; false when there is no such file.
	Read(path string) (string, bool)
}

// memory is a tree that was uploaded.
type memory map[string]string

func (m memory) Read(path string) (string, bool) {
	text, ok := m[path]
	return text, ok
}

// Reach returns the paths that building the entrypoint reads from a tree: the
// files it imports, directly or not, and the package.json files that say where
// packages begin. A build of just these files gives the same script. What is
// wrong with the files is left for Build to say.
func Reach(files Files, entrypoint string) []string {
	seen := &recorder{files: files, read: map[string]bool{}}
	b := newBuild(seen)
	entry, ok := b.resolver.entrypoint(entrypoint)
	if !ok {
		return nil
	}
	api.Build(b.options(entry))
	return seen.paths()
}

// recorder notes what is read.
type recorder struct {
	files Files
	mu    sync.Mutex
	read  map[string]bool
}

func (r *recorder) Read(path string) (string, bool) {
	text, ok := r.files.Read(path)
	if ok {
		r.mu.Lock()
		r.read[path] = true
		r.mu.Unlock()
	}
	return text, ok
}

func (r *recorder) paths() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	paths := make([]string, 0, len(r.read))
	for path := range r.read {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}
