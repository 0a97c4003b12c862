package client

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// emptyID is a line for a workflow id that is not known yet.
var emptyID = regexp.MustCompile(`^(["']?workflowId["']?[ \t]*:)(?:[ \t]*(?:null|~|""|''))?([ \t]+#.*)?[ \t]*$`)

// WriteWorkflowID writes a workflow's id into the floww.yaml of a folder, and
// leaves everything else in it as it is. The file is replaced at once, so that
// nobody reads half of it.
func WriteWorkflowID(dir, workflow string) error {
	file := filepath.Join(dir, manifestName)
	if err := writeWorkflowID(file, workflow); err != nil {
		return fmt.Errorf("%w; add the line \"workflowId: %s\" to %s yourself", err, workflow, file)
	}
	return nil
}

func writeWorkflowID(file, workflow string) error {
	// Renaming over a symbolic link would put a file in its place.
	file, err := filepath.EvalSymlinks(file)
	if err != nil {
		return fmt.Errorf("find the project: %w", err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the project: %w", err)
	}
	changed, err := withWorkflowID(file, text, workflow)
	if err != nil || bytes.Equal(changed, text) {
		return err
	}
	return replaceFile(file, changed)
}

// withWorkflowID returns the text of floww.yaml with a workflow's id. It edits
// lines, because printing the parsed file would lose how it was written, and
// parses the outcome to be sure.
func withWorkflowID(file string, text []byte, workflow string) ([]byte, error) {
	before, err := parseManifest(file, text)
	if err != nil {
		return nil, err
	}
	present, has := before.fields["workflowId"]
	if present.text != "" {
		if present.text == workflow {
			return text, nil
		}
		return nil, fmt.Errorf("%s:%d has another workflowId", file, present.line)
	}
	lines := strings.SplitAfter(string(text), "\n")
	if has && present.line <= len(lines) {
		line, end := cutLineEnd(lines[present.line-1])
		lines[present.line-1] = emptyID.ReplaceAllString(line, "${1} "+workflow+"${2}") + end
	} else {
		_, end := cutLineEnd(lines[0])
		if end == "" {
			end = "\n"
		}
		if last := lines[len(lines)-1]; last != "" {
			lines = append(lines, end)
		}
		lines = append(lines, "workflowId: "+workflow+end)
	}
	changed := []byte(strings.Join(lines, ""))
	after, err := parseManifest(file, changed)
	wanted := maps.Clone(before.fields)
	wanted["workflowId"] = field{workflow, after.fields["workflowId"].line}
	if err != nil || !maps.Equal(after.fields, wanted) {
		return nil, fmt.Errorf("%s is written in a way that no line can be added to", file)
	}
	return changed, nil
}

// cutLineEnd cuts a line before its line break.
func cutLineEnd(line string) (text, end string) {
	text = strings.TrimRight(line, "\r\n")
	return text, line[len(text):]
}

// replaceFile gives a file a new content, whole or not at all.
func replaceFile(file string, content []byte) (err error) {
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("write the project: %w", err)
	}
	temp, err := os.CreateTemp(filepath.Dir(file), manifestName+".*.tmp")
	if err != nil {
		return fmt.Errorf("write the project: %w", err)
	}
	defer func() {
		if err != nil {
			temp.Close()
			os.Remove(temp.Name())
			err = fmt.Errorf("write the project: %w", err)
		}
	}()
	if _, err = temp.Write(content); err != nil {
		return err
	}
	if err = temp.Chmod(info.Mode().Perm()); err != nil {
		return err
	}
	if err = temp.Sync(); err != nil {
		return err
	}
	if err = temp.Close(); err != nil {
		return err
	}
	return os.Rename(temp.Name(), file)
}
