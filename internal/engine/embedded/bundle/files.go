package bundle

import (
	"encoding/json"
	"maps"
	"sync"

	"github.com/evanw/esbuild/pkg/api"
)

// Files is a tree of files. Paths are relative, with slashes, in their shortest
// form. Its methods are called from several goroutines at once.
type Files interface {
	// Read returns the text of a file; false when there is no such file.
	Read(path string) (string, bool)
	// Real returns the folder that a package's folder is a link to; the path
	// itself when it is no link, or not there.
	Real(path string) string
}

// LinksFile is the file that stands for the links of an uploaded tree, which
// can have none: a JSON object from the path of each link to the path it leads
// to. Installers that keep packages in a store of their own, such as pnpm, link
// to them from node_modules.
const LinksFile = "node_modules/.links.json"

// memory is a tree that was uploaded.
type memory struct{ files, links map[string]string }

func newMemory(files map[string]string) memory {
	m := memory{files: files}
	if json.Unmarshal([]byte(files[LinksFile]), &m.links) != nil {
		m.links = nil
	}
	return m
}

func (m memory) Read(path string) (string, bool) {
	text, ok := m.files[path]
	return text, ok
}

func (m memory) Real(path string) string {
	if target, ok := m.links[path]; ok {
		return target
	}
	return path
}

// Reach returns the part of a tree that building the entrypoint needs: the
// files it imports, directly or not, the package.json files that say where
// packages begin, and a LinksFile when there are links. A build of just these
// files gives the same script. What is wrong with the files is left for Build
// to say.
func Reach(files Files, entrypoint string) map[string]string {
	seen := &recorder{files: files, read: map[string]string{}, links: map[string]string{}}
	b := newBuild(seen)
	entry, ok := b.resolver.entrypoint(entrypoint)
	if !ok {
		return nil
	}
	api.Build(b.options(entry))
	return seen.reached()
}

// recorder notes what is read.
type recorder struct {
	files       Files
	mu          sync.Mutex
	read, links map[string]string
}

func (r *recorder) Read(path string) (string, bool) {
	text, ok := r.files.Read(path)
	if ok {
		r.mu.Lock()
		r.read[path] = text
		r.mu.Unlock()
	}
	return text, ok
}

func (r *recorder) Real(path string) string {
	target := r.files.Real(path)
	if target != path {
		r.mu.Lock()
		r.links[path] = target
		r.mu.Unlock()
	}
	return target
}

func (r *recorder) reached() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	reached := maps.Clone(r.read)
	if len(r.links) > 0 {
		// A map of texts always has a JSON form.
		text, _ := json.Marshal(r.links)
		reached[LinksFile] = string(text)
	}
	return reached
}
