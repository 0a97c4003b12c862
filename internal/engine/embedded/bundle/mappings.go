package bundle

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// position is a place in a text: line and column, both from 0.
type position struct{ line, column int }

func (p position) compare(other position) int {
	return cmp.Or(cmp.Compare(p.line, other.line), cmp.Compare(p.column, other.column))
}

// original is a place in one of the sources of a map.
type original struct {
	source string
	position
}

var errSourceMap = errors.New("not a source map of version 3")

// lookUp returns the originals of places in a script, as far as the source map
// has them. It reads the map once, and no further than it must: a map is
// mostly the contents of sources, and stacks are mapped run by run.
func lookUp(sourceMap []byte, places []position) (map[position]original, error) {
	sources, mappings, err := readMap(sourceMap)
	if err != nil {
		return nil, err
	}
	wanted := slices.Clone(places)
	slices.SortFunc(wanted, position.compare)
	found := map[position]original{}
	last := segment{source: -1} // the one before the current
	r := mappingReader{text: mappings}
	for len(wanted) > 0 {
		next, ok := r.next()
		for len(wanted) > 0 && (!ok || wanted[0].compare(next.generated) < 0) {
			if last.generated.line == wanted[0].line && last.source >= 0 && last.source < len(sources) && last.inFile() {
				found[wanted[0]] = original{sources[last.source], last.position}
			}
			wanted = wanted[1:]
		}
		last = next
	}
	return found, nil
}

// readMap returns the parts of a source map that tell places. They stand
// before the contents of sources in a map that completeMap wrote.
func readMap(sourceMap []byte) (sources []string, mappings string, err error) {
	dec := json.NewDecoder(bytes.NewReader(sourceMap))
	if start, err := dec.Token(); err != nil || start != json.Delim('{') {
		return nil, "", errSourceMap
	}
	for missing := 2; missing > 0; {
		key, err := dec.Token()
		if err != nil || !dec.More() {
			return nil, "", errSourceMap
		}
		switch key {
		case "sources":
			missing--
			err = dec.Decode(&sources)
		case "mappings":
			missing--
			err = dec.Decode(&mappings)
		default:
			err = dec.Decode(new(json.RawMessage))
		}
		if err != nil {
			return nil, "", errSourceMap
		}
	}
	return sources, mappings, nil
}

// segment is one mapping of a source map.
type segment struct {
	generated position
	// source is the index of the file; -1 when the segment has none.
	source int
	position
}

// inFile reports whether the place can exist.
func (s segment) inFile() bool { return s.line >= 0 && s.column >= 0 }

// mappingReader reads the field "mappings": per line segments with a comma
// between them, per segment numbers that are differences to the one before
// (ECMA-426).
type mappingReader struct {
	text      string
	generated position
	source    int
	position
}

// next returns the next segment; false at the end, and where the text is not
// what it should be.
func (r *mappingReader) next() (segment, bool) {
	for r.text != "" && (r.text[0] == ';' || r.text[0] == ',') {
		if r.text[0] == ';' {
			r.generated = position{line: r.generated.line + 1}
		}
		r.text = r.text[1:]
	}
	if r.text == "" {
		return segment{}, false
	}
	var numbers [5]int
	n := 0
	for r.text != "" && r.text[0] != ';' && r.text[0] != ',' {
		number, ok := r.number()
		if !ok || n == len(numbers) {
			return segment{}, false
		}
		numbers[n] = number
		n++
	}
	r.generated.column += numbers[0]
	if n < 4 {
		return segment{generated: r.generated, source: -1}, true
	}
	r.source += numbers[1]
	r.line += numbers[2]
	r.column += numbers[3]
	return segment{r.generated, r.source, r.position}, true
}

const base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// number reads one base64 VLQ of at most 32 bits: five bits a digit, lowest
// first, the sixth says that more follow; the lowest bit of all is the sign.
func (r *mappingReader) number() (int, bool) {
	value := 0
	for shift := 0; shift < 35 && r.text != ""; shift += 5 {
		digit := strings.IndexByte(base64Digits, r.text[0])
		if digit < 0 {
			return 0, false
		}
		r.text = r.text[1:]
		value |= (digit & 31) << shift
		if digit < 32 {
			if value&1 != 0 {
				return -(value >> 1), true
			}
			return value >> 1, true
		}
	}
	return 0, false
}
