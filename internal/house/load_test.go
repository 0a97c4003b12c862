package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/usefloww/flowwd"
	binary = module + "/cmd/flowwd"
)

// pkg is a package of this module as the Go command lists it.
type pkg struct {
	ImportPath string
	Dir        string
	Name       string
	Imports    []string
	GoFiles    []string
}

// folder is the package's folder below the module's root, such as
// internal/store.
func (p pkg) folder() string {
	if p.ImportPath == module {
		return "."
	}
	return strings.TrimPrefix(p.ImportPath, module+"/")
}

// ownImports are the folders of the imported packages of this module.
func (p pkg) ownImports() []string {
	var own []string
	for _, path := range p.Imports {
		if folder, ok := strings.CutPrefix(path, module+"/"); ok {
			own = append(own, folder)
		}
	}
	return own
}

// goList runs `go list` for the platform that the product is made for, so that
// the answer is the same on every machine.
func goList(args ...string) ([]byte, error) {
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w\n%s", strings.Join(args, " "), err, &stderr)
	}
	return out, nil
}

var listPackages = sync.OnceValues(func() ([]pkg, error) {
	out, err := goList("-json=ImportPath,Dir,Name,Imports,GoFiles", "./...")
	if err != nil {
		return nil, err
	}
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
})

// packages returns the packages of this module.
func packages(t *testing.T) []pkg {
	t.Helper()
	all, err := listPackages()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("only %d packages found; the rules would check nothing", len(all))
	}
	return all
}

// source is one Go file that a person wrote.
type source struct {
	// path is below the module's root, with slashes.
	path  string
	lines int
	fset  *token.FileSet
	ast   *ast.File
}

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// folder is the folder of the file.
func (s source) folder() string { return filepath.ToSlash(filepath.Dir(s.path)) }

// at is the place of a node, as path:line.
func (s source) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", s.path, s.fset.Position(n.Pos()).Line)
}

func parse(path string, text []byte) (source, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
	return source{path: path, lines: bytes.Count(text, []byte("\n")), fset: fset, ast: file}, err
}

var readSources = sync.OnceValues(func() ([]source, error) {
	var all []source
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // an editor's file that is gone again
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		file, err := parse(filepath.ToSlash(rel), text)
		if err == nil && !ast.IsGenerated(file.ast) {
			all = append(all, file)
		}
		return err
	})
	return all, err
})

// sources returns the Go files of this module, those that were generated left
// out.
func sources(t *testing.T) []source {
	t.Helper()
	all, err := readSources()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Fatalf("only %d files found; the rules would check nothing", len(all))
	}
	return all
}

// forTests reports whether a folder holds support for tests, which is kept out
// of the binary.
func forTests(folder string) bool {
	return strings.HasSuffix(folder, "test") || folder == "internal/house"
}
