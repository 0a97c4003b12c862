package transfer

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"
)

// magic is the first line of a file. The number grows when older programs can't
// read the file.
const (
	magicName = "flowwd-backup "
	magic     = magicName + "1\n"
)

// The types of records.
const (
	recordHeader byte = 'H'
	recordKey    byte = 'K'
	recordTable  byte = 'T'
	recordRow    byte = 'R'
	recordSum    byte = 'S'
	recordEnd    byte = 'E'
)

// What a reader takes, whatever the file says. The database has far less.
const (
	maxHeader  = 64 << 10
	maxKeys    = 64
	maxKey     = 64 << 10
	maxTables  = 512
	maxColumns = 512
	// maxWindow is how far back compressed data may refer; the reader keeps so
	// much in memory.
	maxWindow = 16 << 20
)

// Header says where a file comes from.
type Header struct {
	// Version is the flowwd that made the file.
	Version string
	// Database is the kind of database that it was made of, in words.
	Database string
	// Schema is the number of the schema's last migration.
	Schema    int64
	CreatedAt time.Time
}

// Key is one file of an installation's keys.
type Key struct {
	Name    string
	Content []byte
}

// keyName is what a key's file may be called: no path leads out of the folder.
var keyName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,62}$`)

// headerRecord and tableRecord are the records that are written as JSON.
type headerRecord struct {
	Version   string    `json:"version"`
	Database  string    `json:"database"`
	Schema    int64     `json:"schema"`
	CreatedAt time.Time `json:"createdAt"`
}

type tableRecord struct {
	Name    string         `json:"name"`
	Columns []columnRecord `json:"columns"`
}

type columnRecord struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
}

func encodeTable(t Table) ([]byte, error) {
	record := tableRecord{Name: t.Name, Columns: make([]columnRecord, len(t.Columns))}
	for i, c := range t.Columns {
		record.Columns[i] = columnRecord{Name: c.Name, Kind: c.Kind.String()}
	}
	return json.Marshal(record)
}

func decodeTable(text []byte) (Table, error) {
	var record tableRecord
	if err := json.Unmarshal(text, &record); err != nil {
		return Table{}, damaged("a table's description can't be read (%v)", err)
	}
	if record.Name == "" || len(record.Columns) == 0 || len(record.Columns) > maxColumns {
		return Table{}, damaged("table %.80q has %d columns", record.Name, len(record.Columns))
	}
	t := Table{Name: record.Name, Columns: make([]Column, len(record.Columns))}
	for i, c := range record.Columns {
		kind := kindNamed(c.Kind)
		if kind == 0 {
			return Table{}, damaged("column %.80q of table %.80q is of no known kind", c.Name, t.Name)
		}
		t.Columns[i] = Column{Name: c.Name, Kind: kind}
	}
	return t, nil
}

// ErrDamaged is the cause of errors about files that are not what Writer wrote.
var ErrDamaged = errors.New("the backup is damaged")

func damaged(format string, values ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, values...))
}
