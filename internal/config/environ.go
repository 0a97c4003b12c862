package config

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

const (
	ownPrefix  = "FLOWW_"
	fileSuffix = "_FILE"
	// maxFile bounds the file behind a `<NAME>_FILE`; a value is short.
	maxFile = 64 << 10
)

// foreign are variables that begin like ours but belong to the published
// command line, which may share an environment with the server.
var foreign = []string{"FLOWW_TOKEN", "FLOWW_BACKEND_URL", "FLOWW_NAMESPACE", "FLOWW_LOG_FORMAT", "FLOWW_LOG_LEVEL", "FLOWW_DEBUG"}

// Environ reads settings from environment variables. It is a kong.Resolver, so
// that flags beat it and defaults yield to it, and it collects what is wrong
// with all variables instead of stopping at the first.
type Environ struct {
	vars     map[string]string
	problems Problems
}

// NewEnviron returns an Environ of variables in the form of os.Environ.
func NewEnviron(environ []string) *Environ {
	e := &Environ{vars: make(map[string]string, len(environ))}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		e.vars[name] = value
	}
	return e
}

// Err returns what was wrong with the variables of the flags that were
// resolved; nil when nothing was.
func (e *Environ) Err() error {
	if len(e.problems) == 0 {
		return nil
	}
	return e.problems
}

// UserDir is the folder where programs keep what is one user's: XDG_CONFIG_HOME,
// or .config in the home folder; empty when there is neither.
func (e *Environ) UserDir() string {
	if dir := e.vars["XDG_CONFIG_HOME"]; filepath.IsAbs(dir) {
		return dir
	}
	if home := e.vars["HOME"]; filepath.IsAbs(home) {
		return filepath.Join(home, ".config")
	}
	return ""
}

// DockerDir is the folder of the settings of the program docker; empty when there
// can be none.
func (e *Environ) DockerDir() string {
	if dir := e.vars["DOCKER_CONFIG"]; dir != "" {
		return dir
	}
	if home := e.vars["HOME"]; filepath.IsAbs(home) {
		return filepath.Join(home, ".docker")
	}
	return ""
}

// Validate implements kong.Resolver. Problems are kept for Err.
func (e *Environ) Validate(*kong.Application) error { return nil }

// Resolve implements kong.Resolver: it returns the text of the flag's value in
// the environment. A variable that is wrong yields to the default and is kept
// for Err.
func (e *Environ) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if len(flag.Tag.Envs) == 0 {
		return nil, nil
	}
	name := flag.Tag.Envs[0]
	source, text, err := e.value(name)
	if err == nil && text != "" {
		err = tryDecode(flag, text)
	}
	if err != nil {
		e.problems = append(e.problems, Problem{Setting: source, Text: err.Error()})
		text = ""
	}
	if text != "" {
		return text, nil
	}
	// kong has looked at the variable by itself, and took a broken or an empty
	// one for a value: put the default in its place.
	if flag.HasDefault {
		return flag.Default, nil
	}
	if flag.IsBool() {
		return "false", nil
	}
	return "", nil
}

// value returns the text of a setting and the variable that it comes from.
func (e *Environ) value(name string) (source, text string, err error) {
	source = name + fileSuffix
	path := e.vars[source]
	if path == "" {
		return name, e.vars[name], nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return source, "", fmt.Errorf("%w; give the path of a file that holds the value", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return source, "", fmt.Errorf("%s is no regular file of at most %d bytes; give the path of a file that holds the value", path, maxFile)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return source, "", fmt.Errorf("%w; give the path of a file that this user may read", err)
	}
	if text = strings.TrimSpace(string(content)); text == "" {
		return source, "", fmt.Errorf("%s is empty; write the value into it", path)
	}
	return source, text, nil
}

// tryDecode reports whether text can be the flag's value, without setting it.
func tryDecode(flag *kong.Flag, text string) error {
	scratch := reflect.New(flag.Target.Type()).Elem()
	scan := kong.Scan().PushTyped(text, kong.FlagValueToken)
	return flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: scan}, scratch)
}

// CheckNames returns an error that names each variable which begins like ours
// and is no setting of the application, with the nearest one that is.
func (e *Environ) CheckNames(app *kong.Application) error {
	known := map[string]string{}
	for _, name := range foreign {
		known[name] = name
	}
	for _, flag := range Flags(app.Node) {
		for _, env := range flag.Tag.Envs {
			known[env] = env
			// What somebody would guess from the flag leads to the setting.
			guess := ownPrefix + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
			if _, taken := known[guess]; !taken {
				known[guess] = env
			}
		}
	}
	var problems Problems
	for _, name := range slices.Sorted(maps.Keys(e.vars)) {
		base, isFile := strings.CutSuffix(name, fileSuffix)
		if !strings.HasPrefix(name, ownPrefix) || e.vars[name] == "" || known[name] == name || isFile && known[base] == base {
			continue
		}
		suggestion := nearest(base, known)
		if isFile {
			suggestion += fileSuffix
		}
		problems = append(problems, Problem{Setting: name, Text: "there is no such setting; the nearest is " + suggestion})
	}
	if len(problems) == 0 {
		return nil
	}
	return problems
}

// Flags returns the flags of a node and of all below it, each variable once.
func Flags(node *kong.Node) []*kong.Flag {
	var flags []*kong.Flag
	seen := map[string]bool{}
	var walk func(*kong.Node)
	walk = func(n *kong.Node) {
		for _, flag := range n.Flags {
			if key := flag.Name + "\n" + strings.Join(flag.Tag.Envs, " "); !seen[key] {
				seen[key] = true
				flags = append(flags, flag)
			}
		}
		for _, child := range n.Children {
			walk(child)
		}
	}
	walk(node)
	return flags
}
