package embedded

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/usefloww/flowwd/internal/engine/embedded/runner"
)

// ChildWord is the first argument of a process that is to be a child.
const ChildWord = "runner"

// SelfCommand is the command that starts the running program as a child. The
// program calls RunChild, before anything else, when its first argument is
// ChildWord.
func SelfCommand() ([]string, error) {
	if runtime.GOOS == "linux" {
		// This stays the running program when its file is replaced.
		return []string{"/proc/self/exe", ChildWord}, nil
	}
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the running program: %w", err)
	}
	return []string{path, ChildWord}, nil
}

// RunChild serves as a child with the arguments that follow ChildWord, and
// returns the exit status of the process. in, out and errors are the standard
// files.
func RunChild(args []string, in, out *os.File, errors io.Writer) int {
	options, err := parseChildArgs(args)
	if err == nil {
		err = runner.Run(options, in, out)
	}
	if err == nil {
		return 0
	}
	fmt.Fprintln(errors, err)
	return 1
}

func parseChildArgs(args []string) (runner.Options, error) {
	var o runner.Options
	for _, arg := range args {
		name, text, _ := strings.Cut(arg, "=")
		var err error
		switch name {
		case "memory":
			o.Memory, err = strconv.ParseInt(text, 10, 64)
		case "native":
			o.Native, err = strconv.ParseInt(text, 10, 64)
		case "insecure":
			o.Insecure = true
		default:
			err = fmt.Errorf("it is not known")
		}
		if err != nil {
			return o, fmt.Errorf("argument %q of a child: %w", arg, err)
		}
	}
	if o.Memory <= 0 || o.Native <= 0 {
		return o, fmt.Errorf("a child is started by the server, not by hand")
	}
	return o, nil
}
