package bundle

import (
	"path"
	"strings"
)

// emptyModule is what an import means that a package replaces by nothing
// outside of Node.
const emptyModule = "(empty)"

// owner returns the folder of the package in node_modules that a file belongs
// to, and its manifest.
func (r *resolver) owner(name string) (root string, m *manifest, ok bool) {
	at := strings.LastIndex("/"+name, "/"+modulesDir+"/")
	if at < 0 {
		return "", nil, false
	}
	prefix := name[:at+len(modulesDir)+1]
	pkg, _ := splitSpecifier(name[len(prefix):])
	root = path.Join(prefix, pkg)
	m, ok = r.manifests.at(root)
	return root, m, ok
}

// replacement returns what the package of the importer has in the place of
// another package outside of Node: a specifier, seen from the package's root.
func (r *resolver) replacement(importer, specifier string) (root, by string, ok bool) {
	root, m, ok := r.owner(importer)
	if !ok || strings.HasPrefix(specifier, ".") {
		return "", "", false
	}
	by, ok = m.replaced[specifier]
	return root, by, ok
}

// replaced reports whether the importer's package replaces a specifier.
func (r *resolver) replaced(importer, specifier string) bool {
	_, _, ok := r.replacement(importer, specifier)
	return ok
}

// outsideNode returns the file that takes the place of one outside of Node, by
// the package's own table.
func (r *resolver) outsideNode(found string) string {
	root, m, ok := r.owner(found)
	if !ok || len(m.replaced) == 0 {
		return found
	}
	below := strings.TrimPrefix(found, root+"/")
	for _, key := range []string{"./" + below, below, "./" + strings.TrimSuffix(below, ".js"), "./" + strings.TrimSuffix(below, "/index.js")} {
		by, ok := m.replaced[key]
		switch {
		case !ok:
			continue
		case by == "":
			return emptyModule
		}
		if other, ok := r.file(path.Join(root, by)); ok && inside(root, other) {
			return other
		}
	}
	return found
}
