package realm

import (
	"time"
)

// Question is what code asks of the server.
type Question struct {
	// Name says what is asked for, such as "fetch".
	Name string
	// Head is JSON text, and Body bytes beside it.
	Head string
	Body []byte
}

// Reply is one part of an answer.
type Reply struct {
	ID uint64
	// Last says that no other part follows.
	Last bool
	// Failed says that Head is a text for the author about what went wrong.
	Failed bool
	Head   string
	Body   []byte
}

// Outside is the server, as far as code may ask it for things. Each question
// and each pull is answered by one reply.
type Outside interface {
	// Ask asks and returns the question's number, which no other run's has.
	Ask(q Question) (uint64, error)
	// Pull asks for the next part of an answer.
	Pull(id uint64) error
	// Cancel gives up an answer. A reply may be on its way.
	Cancel(id uint64) error
	// Wait returns a reply, within a time when it is not negative; nil when
	// none came. The reply is valid until the next call.
	Wait(within time.Duration) (*Reply, error)
}

// questions are the functions through which units ask the server.
func (m *Machine) questions() map[string]hostFunc {
	return map[string]hostFunc{
		"ask": m.hostAsk, "pull": m.hostPull, "cancel": m.hostCancel,
		"secrets": func([]value) value { return m.newString(m.secrets) },
	}
}

// hostAsk takes a name, JSON text and bytes and returns a number.
func (m *Machine) hostAsk(args []value) value {
	name := m.textArg(args[0])
	if m.outside == nil {
		return m.throwTypeError(name + " is not available while the code is loaded; call it in the handler")
	}
	id, err := m.outside.Ask(Question{Name: name, Head: m.textArg(args[1]), Body: m.bytesArg(args[2])})
	if err != nil {
		return m.throwTypeError(name + ": " + err.Error())
	}
	m.awaited++
	return float(float64(id))
}

// hostPull takes the number of a question.
func (m *Machine) hostPull(args []value) value {
	if m.outside == nil {
		return undefined()
	}
	if err := m.outside.Pull(uint64(asFloat(args[0]))); err != nil {
		return m.throwTypeError(err.Error())
	}
	m.awaited++
	return undefined()
}

// hostCancel takes the number of a question and whether a reply is awaited.
func (m *Machine) hostCancel(args []value) value {
	if m.outside == nil {
		return undefined()
	}
	if truth(args[1]) {
		m.awaited--
	}
	if err := m.outside.Cancel(uint64(asFloat(args[0]))); err != nil {
		return m.throwTypeError(err.Error())
	}
	m.given[uint64(asFloat(args[0]))] = true
	return undefined()
}

// hear waits for a reply and gives it to the code; false when none came.
func (m *Machine) hear(within time.Duration) (bool, error) {
	reply, err := m.outside.Wait(within)
	if err != nil || reply == nil {
		return false, err
	}
	if m.given[reply.ID] {
		return true, nil
	}
	m.awaited--
	head, body := m.newString(reply.Head), undefined()
	if len(reply.Body) > 0 {
		body = m.newBytes(reply.Body)
	}
	if isException(head) || isException(body) {
		return true, m.failure(m.exception())
	}
	v := m.call(m.entry.reply, float(float64(reply.ID)), boolean(reply.Last), boolean(reply.Failed), head, body)
	m.free(head)
	m.free(body)
	if isException(v) {
		return true, m.failure(m.exception())
	}
	return true, nil
}
