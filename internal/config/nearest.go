package config

import (
	"maps"
	"slices"
)

// nearest returns the setting whose name is the fewest edits away from name.
// The keys of known are spellings, the values the settings that they mean.
func nearest(name string, known map[string]string) string {
	best, bestDistance := "", -1
	for _, spelling := range slices.Sorted(maps.Keys(known)) {
		if d := distance(name, spelling); bestDistance < 0 || d < bestDistance {
			best, bestDistance = known[spelling], d
		}
	}
	return best
}

// distance is the number of bytes to insert, delete or replace that turn a into
// b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
