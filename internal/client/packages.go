package client

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// packageFiles is a project's tree of files on disk, as imports see it.
type packageFiles struct {
	root *os.Root
	// dir is the project's folder without links.
	dir string
	// hidden says that packages are taken for missing.
	hidden bool

	mu sync.Mutex
	// outside are links to packages outside the project.
	outside []string
}

func newPackageFiles(root *os.Root, dir string) (*packageFiles, error) {
	dir, err := filepath.Abs(dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	return &packageFiles{root: root, dir: dir}, err
}

// Read returns the text of a file; false when there is none, when it is no
// text, or when it is outside the project.
func (p *packageFiles) Read(name string) (string, bool) {
	if p.hides(name) {
		return "", false
	}
	info, err := p.root.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return "", false
	}
	text, err := p.root.ReadFile(name)
	if err != nil || !utf8.Valid(text) {
		return "", false
	}
	return string(text), true
}

// Real returns the folder that a package's folder is a link to.
func (p *packageFiles) Real(name string) string {
	if p.hides(name) {
		return name
	}
	target, err := filepath.EvalSymlinks(filepath.Join(p.dir, filepath.FromSlash(name)))
	if err != nil {
		return name
	}
	below, err := filepath.Rel(p.dir, target)
	if err != nil || !filepath.IsLocal(below) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.outside = append(p.outside, name)
		return name
	}
	return filepath.ToSlash(below)
}

func (p *packageFiles) hides(name string) bool {
	return p.hidden && slices.Contains(strings.Split(name, "/"), "node_modules")
}

// linksOutside returns the links that were not followed because they leave the
// project.
func (p *packageFiles) linksOutside() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	slices.Sort(p.outside)
	return strings.Join(slices.Compact(p.outside), ", ")
}
