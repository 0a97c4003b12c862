package house

import (
	"fmt"
	"slices"
	"testing"
)

// maxLines is the greatest length of a file that a person wrote.
const maxLines = 800

func TestFilesAreShort(t *testing.T) {
	t.Parallel()
	var product, tests []int
	for _, file := range sources(t) {
		if file.lines > maxLines {
			t.Errorf("%s has %d lines, at most %d are allowed: a file is about one thing; name its parts and make each a file", file.path, file.lines, maxLines)
		}
		if file.isTest() || forTests(file.folder()) {
			tests = append(tests, file.lines)
		} else {
			product = append(product, file.lines)
		}
	}
	t.Logf("product: %s", describe(product))
	t.Logf("tests:   %s", describe(tests))
}

// describe sums up lengths of files. The median (120) and the 90th percentile
// (400) are aims: printed, not enforced.
func describe(lengths []int) string {
	if len(lengths) == 0 {
		return "no files"
	}
	sorted := slices.Sorted(slices.Values(lengths))
	lines := 0
	for _, n := range sorted {
		lines += n
	}
	return fmt.Sprintf("%d files, %d lines; median %d, 90%% at most %d, longest %d",
		len(sorted), lines, sorted[len(sorted)/2], sorted[len(sorted)*9/10], sorted[len(sorted)-1])
}
