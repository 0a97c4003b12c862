package client

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// field is a text in floww.yaml with its line, from 1.
type field struct {
	text string
	line int
}

// manifest is what floww.yaml says at its top level. Keys whose values are no
// texts are left out.
type manifest struct {
	fields map[string]field
	build  buildFields
}

// parseManifest reads the text of floww.yaml; file is its path, for errors.
func parseManifest(file string, text []byte) (manifest, error) {
	// The parser counts lines of Windows files wrongly.
	tree, err := parser.ParseBytes(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), 0)
	if err != nil {
		return manifest{}, syntaxError(file, err)
	}
	m := manifest{fields: map[string]field{}}
	var pairs []*ast.MappingValueNode
	documents := 0
	for _, doc := range tree.Docs {
		switch body := doc.Body.(type) {
		case nil, *ast.CommentGroupNode, *ast.NullNode:
			continue
		case *ast.MappingNode:
			pairs = body.Values
		case *ast.MappingValueNode:
			pairs = []*ast.MappingValueNode{body}
		default:
			return manifest{}, fmt.Errorf("%s:%d: expected lines like \"name: my-workflow\"", file, body.GetToken().Position.Line)
		}
		if documents++; documents > 1 {
			return manifest{}, fmt.Errorf("%s has more than one document; keep the lines of one workflow", file)
		}
	}
	for _, pair := range pairs {
		key := pair.Key.GetToken()
		if key.Value == "build" {
			if m.build, err = parseBuild(file, pair); err != nil {
				return manifest{}, err
			}
			continue
		}
		text, ok := scalar(pair.Value)
		if ok {
			m.fields[key.Value] = field{text, key.Position.Line}
		} else if isText(key.Value) {
			return manifest{}, fmt.Errorf("%s:%d: %s must be a text", file, key.Position.Line, key.Value)
		}
	}
	return m, nil
}

// isText reports whether a key of floww.yaml is one that this package reads.
func isText(key string) bool {
	switch key {
	case "workflowId", "name", "description", "version", "entrypoint":
		return true
	}
	return false
}

// scalar returns the text of a plain value; that of null is empty. Numbers keep
// the text that was written: version 1.10 is not 1.1.
func scalar(node ast.Node) (string, bool) {
	switch node := node.(type) {
	case *ast.AnchorNode:
		return scalar(node.Value)
	case *ast.NullNode:
		return "", true
	case *ast.StringNode:
		return node.Value, true
	case *ast.LiteralNode:
		return strings.TrimSuffix(node.Value.Value, "\n"), true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return node.GetToken().Value, true
	}
	return "", false
}

func syntaxError(file string, err error) error {
	var at yaml.Error
	if !errors.As(err, &at) || at.GetToken() == nil {
		return fmt.Errorf("%s is not valid YAML: %w", file, err)
	}
	return fmt.Errorf("%s:%d: not valid YAML: %s", file, at.GetToken().Position.Line, at.GetMessage())
}
