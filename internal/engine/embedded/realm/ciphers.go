package realm

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
)

// ciphers are the functions that encrypt and decrypt.
func (m *Machine) ciphers() map[string]hostFunc {
	return map[string]hostFunc{"aes": m.hostAES}
}

// errDecrypt says no more on purpose.
var errDecrypt = errors.New("the data cannot be decrypted: the key, the vector or the data is another one")

// hostAES takes a mode, whether to encrypt, a key, a vector, bytes, additional
// bytes and the length of the tag in bytes.
func (m *Machine) hostAES(args []value) value {
	mode, seal := m.textArg(args[0]), truth(args[1])
	key, vector, data := m.bytesArg(args[2]), m.bytesArg(args[3]), m.bytesArg(args[4])
	block, err := aes.NewCipher(key)
	if err != nil {
		return m.throwTypeError("a key of AES has 16, 24 or 32 bytes")
	}
	switch mode {
	case "AES-GCM":
		return m.derived(gcm(block, seal, vector, data, m.bytesArg(args[5]), asInt(args[6])))
	case "AES-CBC":
		return m.derived(cbc(block, seal, vector, data))
	case "AES-CTR":
		if len(vector) != aes.BlockSize {
			return m.throwTypeError("the counter of AES-CTR has 16 bytes")
		}
		out := make([]byte, len(data))
		cipher.NewCTR(block, vector).XORKeyStream(out, data)
		return m.newBytes(out)
	}
	return m.throwTypeError(fmt.Sprintf("the cipher %.40q is not known", mode))
}

func gcm(block cipher.Block, seal bool, vector, data, additional []byte, tag int) ([]byte, error) {
	var mode cipher.AEAD
	var err error
	if tag == 16 && len(vector) > 0 {
		mode, err = cipher.NewGCMWithNonceSize(block, len(vector))
	} else if len(vector) == 12 {
		mode, err = cipher.NewGCMWithTagSize(block, tag)
	} else {
		err = errors.New("the vector of AES-GCM has 12 bytes when its tag has not 16")
	}
	if err != nil {
		return nil, err
	}
	if seal {
		return mode.Seal(nil, vector, data, additional), nil
	}
	out, err := mode.Open(nil, vector, data, additional)
	if err != nil {
		return nil, errDecrypt
	}
	return out, nil
}

func cbc(block cipher.Block, seal bool, vector, data []byte) ([]byte, error) {
	const size = aes.BlockSize
	if len(vector) != size {
		return nil, errors.New("the vector of AES-CBC has 16 bytes")
	}
	if seal {
		pad := size - len(data)%size
		out := append(bytes.Clone(data), bytes.Repeat([]byte{byte(pad)}, pad)...)
		cipher.NewCBCEncrypter(block, vector).CryptBlocks(out, out)
		return out, nil
	}
	if len(data) == 0 || len(data)%size != 0 {
		return nil, errDecrypt
	}
	out := bytes.Clone(data)
	cipher.NewCBCDecrypter(block, vector).CryptBlocks(out, out)
	pad := int(out[len(out)-1])
	if pad == 0 || pad > size || !bytes.HasSuffix(out, bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, errDecrypt
	}
	return out[:len(out)-pad], nil
}
