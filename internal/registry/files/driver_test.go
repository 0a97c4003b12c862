package files_test

import (
	"flag"
	"testing"

	"github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/testsuites"
	"github.com/stretchr/testify/suite"

	"github.com/usefloww/flowwd/internal/registry/files"
)

var whole = flag.Bool("whole", false, "also run the tests of the library's suite that write gigabytes or wait")

// quick is the library's suite for what it stores with, but for the three tests
// that take a minute and a half.
type quick struct{ testsuites.DriverSuite }

func (q *quick) TestWriteReadLargeStreams() {}
func (q *quick) TestConcurrentFileStreams() {}
func (q *quick) TestStatCall()              {}

func TestDriver(t *testing.T) {
	d, err := files.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close() //nolint:errcheck // only reads are left
	open := func() (driver.StorageDriver, error) { return d, nil }
	if *whole {
		testsuites.Driver(t, open, true)
		return
	}
	suite.Run(t, &quick{testsuites.DriverSuite{Constructor: open}})
}
