package ui

import "strconv"

// Bar is a bar of a Spark: how much there was, and how much of it was bad.
type Bar struct{ All, Bad int }

// The measures of a Spark, in its own units.
const (
	barWidth    = 4
	sparkHeight = 20
)

// sparkBar is a bar as it is drawn, from the ground up.
type sparkBar struct{ x, height, bad int }

// sparkBars are as high as the highest fills the picture; none that there is
// vanishes.
func sparkBars(all []Bar) []sparkBar {
	most := 1
	for _, b := range all {
		most = max(most, b.All)
	}
	drawn := make([]sparkBar, len(all))
	for i, b := range all {
		drawn[i] = sparkBar{x: i * barWidth, height: scaled(b.All, most), bad: scaled(b.Bad, most)}
	}
	return drawn
}

func scaled(n, most int) int {
	if n == 0 {
		return 0
	}
	return max(2, n*sparkHeight/most)
}

func number(n int) string { return strconv.Itoa(n) }
