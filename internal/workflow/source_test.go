package workflow

import (
	"fmt"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/fault"
)

func TestSourceCheck(t *testing.T) {
	t.Parallel()
	with := func(path string) Source {
		return Source{Files: map[string]string{"main.ts": "", path: ""}, Entrypoint: "main.ts"}
	}
	entry := func(path string) Source {
		return Source{Files: map[string]string{"main.ts": ""}, Entrypoint: path}
	}
	many := Source{Files: map[string]string{}, Entrypoint: "0"}
	for i := range MaxSourceFiles + 1 {
		many.Files[fmt.Sprint(i)] = ""
	}
	half := strings.Repeat("x", MaxSourceBytes/2)
	for _, tc := range []struct {
		name   string
		source Source
		// wrong is part of the error's text; empty when there is none.
		wrong string
	}{
		{"plain", with("a/b.c/d e.ts"), ""},
		{"dots in names", with("..a/b..c/..."), ""},
		{"other letters", with("größe/数据.json"), ""},
		{"entrypoint with ./", entry("./src/main.ts"), ""},
		{"entrypoint without its ending", entry("main"), ""},
		{"largest", Source{Files: map[string]string{"a": half[1:], "b": half[1:]}, Entrypoint: "a"}, ""},

		{"no files", Source{Entrypoint: "main.ts"}, "is empty; send at least"},
		{"too many files", many, "has 20001 files; at most 20000"},
		{"too large", Source{Files: map[string]string{"a": "", "b": half, "c": half}, Entrypoint: "a"}, `the largest file is "b" with 16777216 bytes`},
		{"empty path", with(""), `the path "" is empty`},
		{"long path", with(strings.Repeat("a", MaxSourcePath+1)), "is too long"},
		{"parent", with("../x"), `the path "../x" leaves the project`},
		{"parent inside", with("a/../../x"), `the path "a/../../x" leaves the project`},
		{"parent at the end", with("a/.."), "leaves the project"},
		{"absolute", with("/etc/passwd"), `the path "/etc/passwd" is absolute`},
		{"drive", with("C:/x"), "begins with a drive letter"},
		{"backslash", with(`a\b`), `the path "a\\b" has a backslash`},
		{"NUL", with("a\x00b"), `the path "a\x00b" has a control character`},
		{"line break", with("a\nb"), "has a control character"},
		{"not UTF-8", with("a\xff"), "is not UTF-8"},
		{"this folder", with("./a"), "is not in its shortest form"},
		{"double slash", with("a//b"), "is not in its shortest form"},
		{"folder", with("a/"), "is not in its shortest form"},
		{"dot", with("."), "is not in its shortest form"},
		{"no entrypoint", entry(""), "code.entrypoint is empty"},
		{"entrypoint outside", entry("./../main.ts"), "code.entrypoint: the path \"./../main.ts\" leaves the project"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := tc.source.Check()
			switch {
			case tc.wrong == "" && err != nil:
				t.Errorf("Check = %v, want nil", err)
			case tc.wrong != "" && (err == nil || !strings.Contains(err.Error(), tc.wrong)):
				t.Errorf("Check = %v, want %q in it", err, tc.wrong)
			case tc.wrong != "" && !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooLarge):
				t.Errorf("Check = a fault of kind %s", fault.KindOf(err))
			}
		})
	}
}
