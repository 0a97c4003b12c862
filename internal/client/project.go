package client

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/usefloww/flowwd/internal/id"
)

// manifestName is the file that makes a folder a project.
const manifestName = "floww.yaml"

const defaultEntrypoint = "main.ts"

// Project is what the floww.yaml of a folder says.
type Project struct {
	Dir string
	// WorkflowID is empty before the first deployment.
	WorkflowID  string
	Name        string
	Description string
	Version     string
	// Entrypoint is the file that is run, below Dir.
	Entrypoint string
	// Build says how the image is made that the code runs in; nil when it runs in
	// none of its own.
	Build *Build
}

// ReadProject reads the floww.yaml of a folder. Errors name the file, the line
// and what to do.
func ReadProject(dir string) (Project, error) {
	file := filepath.Join(dir, manifestName)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Project{}, fmt.Errorf("there is no %s in %s; a project has one with a line such as \"name: my-workflow\"", manifestName, dir)
	}
	if err != nil {
		return Project{}, fmt.Errorf("read the project: %w", err)
	}
	m, err := parseManifest(file, text)
	if err != nil {
		return Project{}, err
	}
	p := Project{
		Dir:         dir,
		WorkflowID:  m.fields["workflowId"].text,
		Name:        strings.TrimSpace(m.fields["name"].text),
		Description: m.fields["description"].text,
		Version:     m.fields["version"].text,
		Entrypoint:  m.fields["entrypoint"].text,
	}
	if p.Name == "" {
		return Project{}, fmt.Errorf("%s has no name; add a line such as \"name: my-workflow\"", file)
	}
	if p.WorkflowID != "" {
		if _, err := id.Parse(p.WorkflowID); err != nil {
			return Project{}, fmt.Errorf("%s:%d: workflowId %w; remove the line to make a new workflow", file, m.fields["workflowId"].line, err)
		}
	}
	if p.Entrypoint == "" {
		p.Entrypoint = defaultEntrypoint
	}
	p.Build, err = m.build.of(file)
	return p, err
}
