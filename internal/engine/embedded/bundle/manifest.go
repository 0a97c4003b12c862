package bundle

import (
	"encoding/json"
	"path"
	"regexp"
	"strings"
	"sync"
)

const manifestName = "package.json"

// manifest is what resolving needs of a package.json.
type manifest struct {
	main, module string
	// exports and imports are nil when absent.
	exports, imports *value
	// browser is the main file outside of Node; empty when it is the same.
	browser string
	// replaced are files ("./file.js") and packages that are others outside of
	// Node; those with an empty text are left out.
	replaced map[string]string
	// sideEffects says which files do something when imported, by the path
	// below the package; nil means all.
	sideEffects *regexp.Regexp
}

// parseManifest reads a package.json. Fields of the wrong type count as absent.
func parseManifest(text string) *manifest {
	var raw struct {
		Main, Module, Exports, Imports, SideEffects, Browser json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return &manifest{}
	}
	return &manifest{
		main:        textOf(raw.Main),
		module:      textOf(raw.Module),
		browser:     textOf(raw.Browser),
		replaced:    parseReplaced(raw.Browser),
		exports:     parseValue(raw.Exports),
		imports:     parseValue(raw.Imports),
		sideEffects: parseSideEffects(raw.SideEffects),
	}
}

func textOf(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return ""
	}
	return text
}

// mains returns the fields that name the main file, in the order they count.
func (m *manifest) mains(mode importMode) []string {
	order := []string{m.browser, m.module, m.main}
	if mode == byRequire {
		order = []string{m.browser, m.main, m.module}
	}
	var given []string
	for _, name := range order {
		if name != "" {
			given = append(given, name)
		}
	}
	return given
}

// parseReplaced reads the field browser where it is a table.
func parseReplaced(raw json.RawMessage) map[string]string {
	var table map[string]any
	if json.Unmarshal(raw, &table) != nil {
		return nil
	}
	replaced := map[string]string{}
	for name, by := range table {
		switch by := by.(type) {
		case string:
			replaced[name] = by
		case bool:
			if !by {
				replaced[name] = ""
			}
		}
	}
	return replaced
}

// parseSideEffects turns the field sideEffects into an expression that matches
// the files that have some. A pattern without a slash holds in every folder.
func parseSideEffects(raw json.RawMessage) *regexp.Regexp {
	var flag bool
	if json.Unmarshal(raw, &flag) == nil && !flag && len(raw) > 0 {
		return noFile
	}
	var patterns []string
	if json.Unmarshal(raw, &patterns) != nil || patterns == nil {
		return nil
	}
	var all []string
	for _, pattern := range patterns {
		pattern = strings.TrimPrefix(pattern, "./")
		if !strings.Contains(pattern, "/") {
			pattern = "**/" + pattern
		}
		quoted := regexp.QuoteMeta(pattern)
		quoted = strings.ReplaceAll(quoted, `\*\*/`, `(?:.*/)?`)
		quoted = strings.ReplaceAll(quoted, `\*\*`, `.*`)
		quoted = strings.ReplaceAll(quoted, `\*`, `[^/]*`)
		all = append(all, strings.ReplaceAll(quoted, `\?`, `[^/]`))
	}
	matcher, err := regexp.Compile(`^(?:` + strings.Join(all, "|") + `)$`)
	if err != nil {
		return nil
	}
	return matcher
}

var noFile = regexp.MustCompile(`[^\s\S]`)

// sideEffectFree reports whether a file of a package may be left out when
// nothing of it is used. Files of the project itself always count.
func (r *resolver) sideEffectFree(name string) bool {
	at := strings.LastIndex("/"+name, "/"+modulesDir+"/")
	if at < 0 {
		return false
	}
	prefix := name[:at+len(modulesDir)+1]
	pkg, below := splitSpecifier(name[len(prefix):])
	m, ok := r.manifests.at(path.Join(prefix, pkg))
	return ok && m.sideEffects != nil && !m.sideEffects.MatchString(below)
}

// manifests reads each package.json once.
type manifests struct {
	files Files
	mu    sync.Mutex
	known map[string]*manifest
}

func newManifests(files Files) *manifests {
	return &manifests{files: files, known: map[string]*manifest{}}
}

// at returns the manifest in a folder; false when the folder has none.
func (ms *manifests) at(dir string) (*manifest, bool) {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	m, asked := ms.known[dir]
	if !asked {
		if text, ok := ms.files.Read(path.Join(dir, manifestName)); ok {
			m = parseManifest(text)
		}
		ms.known[dir] = m
	}
	return m, m != nil
}
