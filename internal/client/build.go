package client

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml/ast"
)

// Build says how docker makes the image of a project.
type Build struct {
	// Context is the folder that is given to docker, Dockerfile the recipe.
	Context, Dockerfile string
	// Options are more words for docker build.
	Options []string
}

// defaultDockerfile is the file that gives a project an image when it says
// nothing of another.
const defaultDockerfile = "Dockerfile"

// buildFields is the part "build" of floww.yaml.
type buildFields struct {
	// none says that there is no image, whatever files there are.
	none                      bool
	kind, context, dockerfile field
	options                   []string
}

// parseBuild reads the part "build"; null and false stand for no image.
func parseBuild(file string, pair *ast.MappingValueNode) (buildFields, error) {
	var b buildFields
	line := pair.Key.GetToken().Position.Line
	var parts []*ast.MappingValueNode
	switch node := pair.Value.(type) {
	case *ast.MappingNode:
		parts = node.Values
	case *ast.MappingValueNode:
		parts = []*ast.MappingValueNode{node}
	default:
		text, ok := scalar(node)
		if b.none = ok && (text == "" || text == "false"); !b.none {
			return b, fmt.Errorf("%s:%d: build must have lines such as \"type: docker\" and \"dockerfile: Dockerfile\"", file, line)
		}
	}
	for _, part := range parts {
		if err := b.read(file, part); err != nil {
			return b, err
		}
	}
	return b, nil
}

func (b *buildFields) read(file string, part *ast.MappingValueNode) error {
	key := part.Key.GetToken()
	into := map[string]*field{"type": &b.kind, "context": &b.context, "dockerfile": &b.dockerfile}[key.Value]
	switch {
	case into != nil:
		text, ok := scalar(part.Value)
		if !ok {
			return fmt.Errorf("%s:%d: build.%s must be a text", file, key.Position.Line, key.Value)
		}
		*into = field{text, key.Position.Line}
	case key.Value == "extra_options":
		list, ok := part.Value.(*ast.SequenceNode)
		if !ok {
			return fmt.Errorf("%s:%d: build.extra_options must be a list", file, key.Position.Line)
		}
		for _, item := range list.Values {
			text, ok := scalar(item)
			if !ok {
				return fmt.Errorf("%s:%d: build.extra_options must be a list of texts", file, item.GetToken().Position.Line)
			}
			b.options = append(b.options, text)
		}
	}
	return nil
}

// of returns how the image of the project with this floww.yaml is made; nil when
// there is none.
func (b buildFields) of(file string) (*Build, error) {
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return nil, fmt.Errorf("find the project: %w", err)
	}
	if b.none {
		return nil, nil
	}
	if b.kind.text != "" && b.kind.text != "docker" {
		return nil, fmt.Errorf("%s:%d: build.type is %q; only docker is known", file, b.kind.line, b.kind.text)
	}
	made := &Build{Context: under(dir, b.context.text), Dockerfile: under(dir, firstText(b.dockerfile.text, defaultDockerfile)), Options: b.options}
	about, err := os.Stat(made.Dockerfile)
	switch {
	case err == nil && about.Mode().IsRegular():
	case b.dockerfile.text != "":
		return nil, fmt.Errorf("%s:%d: build.dockerfile: there is no file %s", file, b.dockerfile.line, made.Dockerfile)
	default:
		return nil, nil
	}
	if about, err := os.Stat(made.Context); err != nil || !about.IsDir() {
		return nil, fmt.Errorf("%s:%d: build.context: there is no folder %s", file, b.context.line, made.Context)
	}
	return made, nil
}

// under returns a path that is meant from a folder.
func under(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, filepath.FromSlash(path))
}
