//go:build external

package moving

import (
	"path/filepath"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
)

// The same from SQLite to PostgreSQL and back.
func TestMovesBetweenDatabasesLoseNothing(t *testing.T) {
	t.Parallel()
	var stations []station
	for _, postgres := range []bool{false, true, false} {
		s := station{filepath.Join(t.TempDir(), "data")}
		if postgres {
			apptest.Bind(s.dir, apptest.NewDatabase(t, apptest.Cluster(t)))
		}
		stations = append(stations, s)
	}
	move(t, stations)
}
