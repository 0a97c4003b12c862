package house

import (
	"go/ast"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for _, file := range sources(t) {
		if path.Base(file.path) == "doc.go" && file.ast.Doc != nil {
			text := file.ast.Doc.Text()
			documented[file.folder()] = strings.HasPrefix(text, "Package "+file.ast.Name.Name+" ") ||
				file.ast.Name.Name == "main" && strings.HasPrefix(text, "Command "+path.Base(file.folder())+" ")
		}
	}
	for _, p := range packages(t) {
		if !documented[p.folder()] {
			t.Errorf("%s has no doc.go with a comment that begins \"Package %s\" (\"Command …\" for a program): a reader must learn there what it owns and what it must not know", p.folder(), p.Name)
		}
	}
}

func TestPackageNamesSayWhatIsInside(t *testing.T) {
	t.Parallel()
	banned := []string{"util", "utils", "common", "helper", "helpers", "model", "models", "types", "misc", "shared"}
	for _, p := range packages(t) {
		if slices.Contains(banned, p.Name) || slices.Contains(banned, path.Base(p.folder())) {
			t.Errorf("%s is named after nothing: a package is a noun of the product or the name of what it wraps", p.folder())
		}
	}
}

// finding is a place that breaks a rule.
type finding struct {
	node ast.Node
	what string
}

// rules are checks of one file each.
var rules = []struct {
	name string
	why  string
	// applies says for which files the rule is.
	applies func(source) bool
	find    func(source) []finding
}{
	{
		name:    "no init functions",
		why:     "what happens at the start is written in app and cmd, in order",
		applies: func(source) bool { return true },
		find:    findInit,
	},
	{
		name:    "no skipped tests",
		why:     "a test that does not run where CI runs checks nothing; what needs something from outside has the build tag external",
		applies: source.isTest,
		find:    findSkip,
	},
	{
		name: "clock, environment and logger come in as fields",
		why:  "only cmd, app, config and the child process may ask the machine; all others are given them, so that tests can give others",
		applies: func(s source) bool {
			return !s.isTest() && !forTests(s.folder()) && !slices.ContainsFunc(mayAskTheMachine, func(folder string) bool {
				return s.folder() == folder || strings.HasPrefix(s.folder(), folder+"/")
			})
		},
		find: findAmbient,
	},
	{
		name: "domain structs have no json or bun tags",
		why:  "rows are unexported in store, wire types in api; a tag here would make the domain change with them",
		applies: func(s source) bool {
			return !s.isTest() && slices.Contains(domain, s.folder())
		},
		find: findTags,
	},
}

// mayAskTheMachine are folders whose code may call time.Now, os.Getenv and
// slog.Default.
var mayAskTheMachine = []string{
	"cmd", "internal/app", "internal/config", "bench",
	// These run in the child process.
	"internal/engine/embedded/runner", "internal/engine/embedded/realm",
}

var domain = []string{"internal/audit", "internal/tenant", "internal/identity", "internal/workflow", "internal/execution", "internal/trigger", "internal/deploy"}

func TestRulesOfFiles(t *testing.T) {
	t.Parallel()
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			t.Parallel()
			checked := 0
			for _, file := range sources(t) {
				if !rule.applies(file) {
					continue
				}
				checked++
				for _, f := range rule.find(file) {
					t.Errorf("%s: %s: %s", file.at(f.node), f.what, rule.why)
				}
			}
			if checked == 0 {
				t.Error("the rule applies to no file")
			}
		})
	}
}

func findInit(s source) []finding {
	var found []finding
	for _, decl := range s.ast.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			found = append(found, finding{f, "an init function"})
		}
	}
	return found
}

// findSkip finds skipped tests. rapid's Skip is none: it only says that a
// drawn action does not apply.
func findSkip(s source) []finding {
	var found []finding
	var open []ast.Node // the nodes around the one that is visited
	ast.Inspect(s.ast, func(n ast.Node) bool {
		if n == nil {
			open = open[:len(open)-1]
			return true
		}
		open = append(open, n)
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if ok && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, sel.Sel.Name) && typeOfParameter(open, sel.X) != "rapid" {
			found = append(found, finding{call, sel.Sel.Name})
		}
		return true
	})
	return found
}

// typeOfParameter returns the package of the type of the parameter that x
// names, looking at the functions around it from the inside out; empty when
// there is none.
func typeOfParameter(around []ast.Node, x ast.Expr) string {
	name, ok := x.(*ast.Ident)
	if !ok {
		return ""
	}
	for _, n := range slices.Backward(around) {
		var signature *ast.FuncType
		switch f := n.(type) {
		case *ast.FuncLit:
			signature = f.Type
		case *ast.FuncDecl:
			signature = f.Type
		default:
			continue
		}
		for _, field := range signature.Params.List {
			if !slices.ContainsFunc(field.Names, func(id *ast.Ident) bool { return id.Name == name.Name }) {
				continue
			}
			if star, ok := field.Type.(*ast.StarExpr); ok {
				if sel, ok := star.X.(*ast.SelectorExpr); ok {
					if pkg, ok := sel.X.(*ast.Ident); ok {
						return pkg.Name
					}
				}
			}
			return ""
		}
	}
	return ""
}

// ambient are the functions that ask the machine, by import path.
var ambient = map[string][]string{
	"time": {"Now", "Since", "Until"},
	"os":   {"Getenv", "LookupEnv", "Environ"},
	"log/slog": {"Default", "Debug", "Info", "Warn", "Error", "Log", "LogAttrs",
		"DebugContext", "InfoContext", "WarnContext", "ErrorContext"},
}

func findAmbient(s source) []finding {
	names := map[string]string{} // local name → import path
	for _, spec := range s.ast.Imports {
		importPath, err := strconv.Unquote(spec.Path.Value)
		if err != nil || ambient[importPath] == nil {
			continue
		}
		local := path.Base(importPath)
		if spec.Name != nil {
			local = spec.Name.Name
		}
		names[local] = importPath
	}
	var found []finding
	ast.Inspect(s.ast, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		if ok && slices.Contains(ambient[names[x.Name]], sel.Sel.Name) {
			found = append(found, finding{sel, x.Name + "." + sel.Sel.Name})
		}
		return true
	})
	return found
}

func findTags(s source) []finding {
	var found []finding
	ast.Inspect(s.ast, func(n ast.Node) bool {
		field, ok := n.(*ast.Field)
		if !ok || field.Tag == nil {
			return true
		}
		text, err := strconv.Unquote(field.Tag.Value)
		if err != nil {
			return true
		}
		for _, key := range []string{"json", "bun"} {
			if _, has := reflect.StructTag(text).Lookup(key); has {
				found = append(found, finding{field, "a field with the tag " + key})
			}
		}
		return true
	})
	return found
}

// TestRulesFindWhatTheyForbid shows each rule a file that breaks it.
func TestRulesFindWhatTheyForbid(t *testing.T) {
	t.Parallel()
	tests := []struct {
		find func(source) []finding
		text string
		want []string
	}{
		{findInit, "package a\nfunc init() {}\ntype t int\nfunc (t) init() {}", []string{"an init function"}},
		{findSkip, "package a\nfunc f(t *testing.T) { t.Skip(); t.Run(\"x\", nil); t.SkipNow() }", []string{"Skip", "SkipNow"}},
		{findSkip, "package a\nfunc f(t *testing.T) { g(func(t *rapid.T) { t.Skip() }); h(func(t *testing.T) { t.Skipf(\"\") }) }", []string{"Skipf"}},
		{findAmbient, "package a\nimport (\"time\"; \"os\"; l \"log/slog\")\nvar x = time.Now\nvar y = os.Getenv(\"A\") + l.Default().String()\nvar z = time.Second", []string{"time.Now", "os.Getenv", "l.Default"}},
		{findAmbient, "package a\nimport \"example.com/time\"\nvar x = time.Now()", nil},
		{findTags, "package a\ntype s struct { A int `json:\"a\"`; B int `xml:\"b\"`; C int `bun:\"c\"` }", []string{"a field with the tag json", "a field with the tag bun"}},
	}
	for _, test := range tests {
		file, err := parse("a.go", []byte(test.text))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range test.find(file) {
			got = append(got, f.what)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("in\n%s\ngot %q, want %q", test.text, got, test.want)
		}
	}
}

// unfinished are words that stand on something that is not done.
var unfinished = regexp.MustCompile(`\b(TODO|FIXME|XXX)\b`)

func TestNothingIsLeftForLater(t *testing.T) {
	t.Parallel()
	for _, file := range sources(t) {
		for _, group := range file.ast.Comments {
			if word := unfinished.FindString(group.Text()); word != "" {
				t.Errorf("%s: %s: finish it, or write an issue", file.at(group), word)
			}
		}
	}
}
