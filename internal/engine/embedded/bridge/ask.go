package bridge

// MaxAsk and MaxReply bound a question and one part of an answer, in bytes.
const (
	MaxAsk   = 11 << 20
	MaxReply = 1 << 20
)

// Ask is a question of the code that runs, such as one for a fetch.
type Ask struct {
	// ID tells the questions of a child apart.
	ID uint64
	// Name says what is asked for.
	Name string
	// Head is JSON text, and Body bytes beside it.
	Head, Body []byte
}

// Append appends the frame.
func (a Ask) Append(b []byte) []byte {
	b, mark := Begin(b, KindAsk)
	b = appendUint(b, a.ID)
	b = appendText(b, a.Name)
	b = appendText(b, a.Head)
	b = appendText(b, a.Body)
	return End(b, mark)
}

// ParseAsk reads the payload. The result is a copy.
func ParseAsk(payload []byte) (Ask, error) {
	f := fields{b: append([]byte(nil), payload...)}
	a := Ask{ID: f.uint(), Name: f.text(), Head: f.bytes(), Body: f.bytes()}
	return a, f.done()
}

// AppendPull appends the frame that asks for the next part of an answer.
func AppendPull(b []byte, id uint64) []byte { return appendID(b, KindPull, id) }

// AppendCancel appends the frame that gives an answer up.
func AppendCancel(b []byte, id uint64) []byte { return appendID(b, KindCancel, id) }

func appendID(b []byte, kind Kind, id uint64) []byte {
	b, mark := Begin(b, kind)
	return End(appendUint(b, id), mark)
}

// ParseID reads the payload of a pull or a cancel.
func ParseID(payload []byte) (uint64, error) {
	f := fields{b: payload}
	id := f.uint()
	return id, f.done()
}

// Reply is a part of an answer. Each ask and each pull gets one.
type Reply struct {
	ID uint64
	// Last says that there is no other part.
	Last bool
	// Failed says that Head is a text about what went wrong.
	Failed     bool
	Head, Body []byte
}

// Append appends the frame.
func (r Reply) Append(b []byte) []byte {
	b, mark := Begin(b, KindReply)
	b = appendUint(b, r.ID)
	b = appendBool(b, r.Last)
	b = appendBool(b, r.Failed)
	b = appendText(b, r.Head)
	b = appendText(b, r.Body)
	return End(b, mark)
}

// ParseReply reads the payload. The result points into it.
func ParseReply(payload []byte) (Reply, error) {
	f := fields{b: payload}
	r := Reply{ID: f.uint(), Last: f.bool(), Failed: f.bool(), Head: f.bytes(), Body: f.bytes()}
	return r, f.done()
}
