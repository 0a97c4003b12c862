package config

import "strings"

// Problem is one wrong setting.
type Problem struct {
	// Setting names it as the person wrote it.
	Setting string
	// Text says what is wrong and what is allowed.
	Text string
}

// Problems is an error that lists wrong settings.
type Problems []Problem

// Error returns the problems, one a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Setting + ": " + problem.Text
	}
	return strings.Join(lines, "\n")
}
