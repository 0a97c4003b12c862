package alert

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"
)

// keySize is the size of a webhook's key, in bytes.
const keySize = 32

func newKey() []byte {
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails
	return key
}

// secretText is a key in the form that libraries for Standard Webhooks take.
func secretText(key []byte) string { return "whsec_" + base64.StdEncoding.EncodeToString(key) }

// signed are the headers that say who sends a body, by Standard Webhooks.
func signed(key []byte, name string, at time.Time, body []byte) [][2]string {
	seconds := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(name + "." + seconds + "."))
	mac.Write(body)
	return [][2]string{
		{"Content-Type", "application/json"},
		{"webhook-id", name},
		{"webhook-timestamp", seconds},
		{"webhook-signature", "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))},
	}
}
