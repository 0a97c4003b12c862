package workflow

import (
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/usefloww/flowwd/internal/fault"
)

// Bounds of a source.
const (
	MaxSourceFiles = 20_000
	// MaxSourceBytes bounds paths and contents together.
	MaxSourceBytes = 32 << 20
	// MaxSourcePath bounds one path, in bytes.
	MaxSourcePath = 1024
)

// Check returns nil when every file has a usable path, the source is within
// its bounds and an entrypoint is named; whether the entrypoint exists is for
// the engine to say, which knows the file endings that may be left out. The
// error is a fault that names the file.
func (s Source) Check() error {
	if len(s.Files) == 0 {
		return fault.New(fault.Invalid, "code.files is empty; send at least the entrypoint")
	}
	if len(s.Files) > MaxSourceFiles {
		return fault.New(fault.TooLarge, "code.files has %d files; at most %d are allowed", len(s.Files), MaxSourceFiles)
	}
	var total int
	for _, name := range slices.Sorted(maps.Keys(s.Files)) {
		if wrong := pathFault(name); wrong != "" {
			return fault.New(fault.Invalid, "code.files: the path %.200q %s", name, wrong)
		}
		total += len(name) + len(s.Files[name])
	}
	if total > MaxSourceBytes {
		largest := s.largestFile()
		return fault.New(fault.TooLarge, "code.files has %d bytes; at most %d are allowed; the largest file is %q with %d bytes",
			total, MaxSourceBytes, largest, len(s.Files[largest]))
	}
	if s.Entrypoint == "" {
		return fault.New(fault.Invalid, "code.entrypoint is empty; name the file to run, such as \"main.ts\"")
	}
	if wrong := pathFault(strings.TrimPrefix(s.Entrypoint, "./")); wrong != "" {
		return fault.New(fault.Invalid, "code.entrypoint: the path %.200q %s", s.Entrypoint, wrong)
	}
	return nil
}

func (s Source) largestFile() string {
	return slices.MaxFunc(slices.Sorted(maps.Keys(s.Files)), func(a, b string) int {
		return len(s.Files[a]) - len(s.Files[b])
	})
}

// pathFault says what is wrong with a file's path; empty when nothing is. Files
// are written back to disk by clients, so a path must stay inside its folder
// on every system.
func pathFault(name string) string {
	switch {
	case name == "":
		return "is empty"
	case len(name) > MaxSourcePath:
		return "is too long"
	case !utf8.ValidString(name):
		return "is not UTF-8"
	case strings.ContainsRune(name, '\\'):
		return "has a backslash; separate folders with /"
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "has a control character"
	case name[0] == '/':
		return "is absolute; paths are relative to the project"
	case len(name) > 1 && name[1] == ':':
		return "begins with a drive letter; paths are relative to the project"
	case slices.Contains(strings.Split(name, "/"), ".."):
		return "leaves the project with \"..\""
	case path.Clean(name) != name || name == ".":
		return "is not in its shortest form, such as \"src/main.ts\""
	default:
		return ""
	}
}
