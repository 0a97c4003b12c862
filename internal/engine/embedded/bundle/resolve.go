package bundle

import (
	"fmt"
	"path"
	"strings"
)

// importMode is the way a module is asked for, which packages may answer with
// different files.
type importMode uint8

const (
	byImport importMode = iota
	byRequire
)

// suffixes are tried in turn where an import leaves out the end of a file's
// name. The first ones are the wire contract's (workflows-runtime.md 3.5), the
// rest are what packages leave out.
var suffixes = []string{
	"", ".ts", ".js", ".json", "/index.ts", "/index.js",
	".tsx", ".mts", ".mjs", ".cjs", ".cts", ".jsx",
	"/index.tsx", "/index.mjs", "/index.cjs", "/index.json",
}

// sources are the endings of TypeScript files that an import names by the
// script they compile to.
var sources = map[string][]string{
	".js":  {".ts", ".tsx"},
	".mjs": {".mts"},
	".cjs": {".cts"},
}

// resolver finds the files that imports mean.
type resolver struct {
	files     Files
	manifests *manifests
}

func newResolver(files Files) *resolver {
	return &resolver{files: files, manifests: newManifests(files)}
}

// entrypoint returns the file that an entrypoint names, with or without its
// ending.
func (r *resolver) entrypoint(name string) (string, bool) {
	if name == "" || path.IsAbs(name) {
		return "", false
	}
	return r.file(path.Clean(name))
}

// resolve returns the path of the file that an import in the file importer
// means, emptyModule for none on purpose, or why there is none.
func (r *resolver) resolve(importer, specifier string, mode importMode) (found, why string) {
	dir := path.Dir(importer)
	if root, by, ok := r.replacement(importer, specifier); ok {
		if by == "" {
			return emptyModule, ""
		}
		dir, specifier = root, by
	}
	if found, why = r.find(dir, specifier, mode); why == "" {
		found = r.outsideNode(found)
	}
	return found, why
}

func (r *resolver) find(dir, specifier string, mode importMode) (found, why string) {
	switch {
	case specifier == "." || specifier == ".." || strings.HasPrefix(specifier, "./") || strings.HasPrefix(specifier, "../"):
		return r.relative(dir, specifier)
	case strings.HasPrefix(specifier, "/"):
		return "", fmt.Sprintf("%.200q is an absolute path; import files of the project by a relative path such as \"./file\"", specifier)
	case strings.HasPrefix(specifier, "#"):
		return r.internal(dir, specifier, mode)
	default:
		return r.bare(dir, specifier, mode)
	}
}

func (r *resolver) relative(dir, specifier string) (found, why string) {
	target := path.Join(dir, specifier)
	if found, ok := r.fileOrFolder(target); ok {
		return found, ""
	}
	if target == ".." || strings.HasPrefix(target, "../") {
		return "", fmt.Sprintf("%.200q is outside the project", specifier)
	}
	if path.Ext(target) != "" {
		return "", fmt.Sprintf("there is no file %q", target)
	}
	return "", fmt.Sprintf("there is no file %q, also not with .ts, .js, .json, /index.ts or /index.js", target)
}

// bare resolves an import of a package in the node_modules folders from dir
// upwards.
func (r *resolver) bare(dir, specifier string, mode importMode) (found, why string) {
	name, subpath := splitSpecifier(specifier)
	for ; ; dir = path.Dir(dir) {
		root := r.files.Real(path.Join(dir, modulesDir, name))
		if m, ok := r.manifests.at(root); ok {
			return r.inPackage(root, m, name, subpath, mode)
		}
		if found, ok := r.file(path.Join(root, subpath)); ok {
			return found, ""
		}
		if dir == "." || dir == "/" {
			return "", missingPackage(specifier, name)
		}
	}
}

const modulesDir = "node_modules"

// splitSpecifier splits "@scope/name/sub/path" into name and "sub/path".
func splitSpecifier(specifier string) (name, subpath string) {
	parts := 1
	if strings.HasPrefix(specifier, "@") {
		parts = 2
	}
	segments := strings.SplitN(specifier, "/", parts+1)
	if len(segments) <= parts {
		return specifier, ""
	}
	return strings.Join(segments[:parts], "/"), segments[parts]
}

// inPackage resolves a path inside a package that was found.
func (r *resolver) inPackage(root string, m *manifest, name, subpath string, mode importMode) (found, why string) {
	if m.exports == nil {
		if found, ok := r.fileOrFolderBy(path.Join(root, subpath), mode); ok && inside(root, found) {
			return found, ""
		}
		return "", fmt.Sprintf("the package %q has no file for %q", name, path.Join(name, subpath))
	}
	key := "."
	if subpath != "" {
		key = "./" + subpath
	}
	target, ok := m.exported(key, mode)
	if !ok {
		return "", fmt.Sprintf("the package %q does not export %q for import outside Node", name, key)
	}
	if found, ok := r.file(path.Join(root, target)); ok && inside(root, found) {
		return found, ""
	}
	return "", fmt.Sprintf("the package %q exports %q as %q, which is not among the files", name, key, target)
}

// internal resolves "#name" by the imports of the package that dir is in.
func (r *resolver) internal(dir, specifier string, mode importMode) (found, why string) {
	for ; path.Base(dir) != modulesDir; dir = path.Dir(dir) {
		m, ok := r.manifests.at(dir)
		if !ok {
			if dir == "." {
				break
			}
			continue
		}
		target, ok := m.imported(specifier, mode)
		switch {
		case !ok:
			return "", fmt.Sprintf("%s does not list %q in its imports", path.Join(dir, manifestName), specifier)
		case strings.HasPrefix(target, "./"):
			return r.relative(dir, target)
		default:
			return r.bare(dir, target, mode)
		}
	}
	return "", fmt.Sprintf("no package.json around this file lists %q in its imports", specifier)
}

func (r *resolver) fileOrFolder(target string) (string, bool) {
	return r.fileOrFolderBy(target, byImport)
}

// fileOrFolderBy returns the file at target, or the main file of the folder
// there.
func (r *resolver) fileOrFolderBy(target string, mode importMode) (string, bool) {
	if r.exists(target) {
		return target, true
	}
	if m, ok := r.manifests.at(target); ok {
		for _, main := range m.mains(mode) {
			if found, ok := r.file(path.Join(target, main)); ok {
				return found, true
			}
		}
	}
	return r.file(target)
}

// file returns the first file that target means with one of the suffixes.
func (r *resolver) file(target string) (string, bool) {
	for _, suffix := range suffixes {
		if r.exists(target + suffix) {
			return target + suffix, true
		}
	}
	ext := path.Ext(target)
	for _, source := range sources[ext] {
		if name := strings.TrimSuffix(target, ext) + source; r.exists(name) {
			return name, true
		}
	}
	return "", false
}

func (r *resolver) exists(name string) bool {
	_, ok := r.files.Read(name)
	return ok
}

// inside reports whether a path stays below a package's root.
func inside(root, name string) bool { return strings.HasPrefix(name, root+"/") }
