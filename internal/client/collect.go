package client

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/usefloww/flowwd/internal/engine/embedded/bundle"
	"github.com/usefloww/flowwd/internal/workflow"
)

// maxLockFile is the size from which a lock file stays at home: the server
// does not read it.
const maxLockFile = 1 << 20

// CollectFiles returns the texts of a project that are sent, by their path:
// its sources and settings, and of node_modules the files that the entrypoint
// reaches. What is sent of the project itself is in workflows-runtime.md 2.5
// of the wire contract.
func CollectFiles(dir, entrypoint string) (map[string]string, error) {
	return collect(dir, entrypoint, true)
}

// collect does the same, without packages if they are not wanted.
func collect(dir, entrypoint string, withPackages bool) (map[string]string, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the project: %w", err)
	}
	defer root.Close()
	sizes, err := listFiles(root)
	if err != nil {
		return nil, err
	}
	if err := checkSizes(sizes); err != nil {
		return nil, err
	}
	files := map[string]string{}
	for name := range sizes {
		text, err := readText(root, name)
		if err != nil {
			return nil, err
		}
		files[name] = text
	}
	if err := addReached(root, dir, entrypoint, withPackages, files); err != nil {
		return nil, err
	}
	for name, text := range files {
		sizes[name] = int64(len(text))
	}
	return files, checkSizes(sizes)
}

// addReached adds what the entrypoint reaches: files of packages, and those of
// the project that are not sent by their name.
func addReached(root *os.Root, dir, entrypoint string, withPackages bool, files map[string]string) error {
	packages, err := newPackageFiles(root, dir)
	if err != nil {
		return fmt.Errorf("open the project: %w", err)
	}
	packages.hidden = !withPackages
	maps.Copy(files, bundle.Reach(packages, entrypoint))
	if outside := packages.linksOutside(); outside != "" {
		return fmt.Errorf("packages are symbolic links that lead out of the project: %s; install them in the project's own node_modules", outside)
	}
	return nil
}

// isSent reports whether a file of the project is sent, by its name.
func isSent(name string) bool {
	switch path.Ext(name) {
	case ".ts", ".js", ".json", ".yaml", ".yml":
		return true
	}
	return false
}

// isSkipped reports whether a folder is left out, wherever it is.
func isSkipped(name string) bool {
	switch name {
	case "node_modules", ".git", "dist", ".floww", "pulumi-state":
		return true
	}
	return false
}

func isLockFile(name string) bool {
	switch name {
	case "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml":
		return true
	}
	return false
}

// listFiles returns the sizes of the project's own files that are sent.
func listFiles(root *os.Root) (map[string]int64, error) {
	sizes := map[string]int64{}
	err := fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && isSkipped(entry.Name()):
			return fs.SkipDir
		case entry.IsDir():
			return nil
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // gone since the folder was read, as editors' files are
		}
		if err == nil && info.Mode()&fs.ModeSymlink != 0 {
			info, err = followLink(root, name)
		}
		if err != nil || !info.Mode().IsRegular() || !isSent(name) || isLockFile(entry.Name()) && info.Size() > maxLockFile {
			return err
		}
		sizes[name] = info.Size()
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the project: %w", err)
	}
	return sizes, nil
}

// followLink returns what a symbolic link points to. A link that leaves the
// project is refused: what it points to is not the project's to send.
func followLink(root *os.Root, name string) (fs.FileInfo, error) {
	info, err := root.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("%s is a symbolic link that leads out of the project or nowhere; put the file itself there, or remove the link (%w)", name, err)
	}
	return info, nil
}

func readText(root *os.Root, name string) (string, error) {
	text, err := root.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("read the project: %w", err)
	}
	if !utf8.Valid(text) {
		return "", fmt.Errorf("%s is not text in UTF-8; save it as that, or remove it from the project", name)
	}
	return string(text), nil
}

// checkSizes holds the bounds that the server has, with an answer to what makes
// the project large.
func checkSizes(sizes map[string]int64) error {
	if len(sizes) > workflow.MaxSourceFiles {
		return fmt.Errorf("the project has %d files to send, the server takes %d; most are in %s", len(sizes), workflow.MaxSourceFiles, fullestFolder(sizes))
	}
	var total int64
	for name, size := range sizes {
		total += int64(len(name)) + size
	}
	if total <= workflow.MaxSourceBytes {
		return nil
	}
	names := slices.SortedFunc(maps.Keys(sizes), func(a, b string) int {
		return cmp.Or(cmp.Compare(sizes[b], sizes[a]), cmp.Compare(a, b))
	})
	var largest strings.Builder
	for _, name := range names[:min(len(names), 5)] {
		fmt.Fprintf(&largest, "\n  %s: %.1f MB", name, megabytes(sizes[name]))
	}
	return fmt.Errorf("the project has %.1f MB to send, the server takes %.0f MB; the largest files are:%s", megabytes(total), megabytes(workflow.MaxSourceBytes), &largest)
}

func megabytes(n int64) float64 { return float64(n) / (1 << 20) }

// fullestFolder returns the folder at the top of the project that holds most
// files.
func fullestFolder(sizes map[string]int64) string {
	counts := map[string]int{}
	best := "."
	for name := range sizes {
		folder, _, below := strings.Cut(name, "/")
		if !below {
			folder = "."
		}
		counts[folder]++
		if counts[folder] > counts[best] || counts[folder] == counts[best] && folder < best {
			best = folder
		}
	}
	return best
}
