package lines

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/usefloww/flowwd/internal/audit"
)

// maxLine bounds a line that is read.
const maxLine = 4 << 20

// Summary is what an export holds.
type Summary struct {
	Entries int64
	// Missing counts entries that are not there between those that are.
	Missing     int64
	First, Last audit.Link
}

// Verify reads an export and checks it. With gaps, entries may be missing
// between others, as in an export of one organization.
func Verify(r io.Reader, gaps bool) (Summary, error) {
	v := audit.Verifier{Gaps: gaps}
	var s Summary
	in := bufio.NewReader(r)
	for number := 1; ; number++ {
		text, err := readLine(in)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			s.Last, err = parse(text)
		}
		if err == nil {
			err = v.Check(s.Last)
		}
		if err != nil {
			return s, fmt.Errorf("line %d: %w", number, err)
		}
		if number == 1 {
			s.First = s.Last
		}
	}
	s.Entries, s.Missing = v.Entries, v.Missing
	return s, nil
}

// readLine returns a line with its end; io.EOF when there is none left.
func readLine(in *bufio.Reader) ([]byte, error) {
	var text []byte
	for {
		part, err := in.ReadSlice('\n')
		text = append(text, part...)
		switch {
		case err == nil:
			return text, nil
		case len(text) > maxLine:
			return nil, fmt.Errorf("it has more than %d bytes, which no entry has", maxLine)
		case errors.Is(err, io.EOF) && len(text) > 0:
			return nil, errors.New("it has no end: the file is not complete")
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

// parse reads a line, which must be written exactly as Append does.
func parse(text []byte) (audit.Link, error) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return audit.Link{}, fmt.Errorf("it is no audit entry: %w", err)
	}
	link, err := l.link()
	if err != nil {
		return audit.Link{}, fmt.Errorf("it is no audit entry: %w", err)
	}
	again, err := Append(nil, link)
	if err != nil {
		return audit.Link{}, err
	}
	if !bytes.Equal(again, text) {
		return audit.Link{}, errors.New("it is not written as an export writes it: somebody has edited it")
	}
	return link, nil
}
