package store

import "github.com/usefloww/flowwd/internal/identity"

func (p *purge) deviceCodes() error {
	return p.delete("purge device codes", `
		DELETE FROM device_codes WHERE hash IN (SELECT hash FROM device_codes WHERE expires_at < ? ORDER BY expires_at LIMIT ?)`, p.now)
}

// refreshTokens removes tokens that were replaced too long ago to be told from
// any other text, and those of logins that have expired.
func (p *purge) refreshTokens() error {
	err := p.delete("purge replaced refresh tokens", `
		DELETE FROM refresh_tokens WHERE hash IN (
			SELECT hash FROM refresh_tokens WHERE replaced_at < ? ORDER BY replaced_at LIMIT ?)`, p.now.Add(-identity.ReplacedKept))
	if err != nil || p.left <= 0 {
		return err
	}
	return p.delete("purge refresh tokens", `
		DELETE FROM refresh_tokens WHERE hash IN (
			SELECT r.hash FROM token_families f JOIN refresh_tokens r ON r.family_id = f.id WHERE f.expires_at < ? LIMIT ?)`, p.now)
}

// devices removes logins that have expired and have no tokens any more. What has
// expired is not refreshed, so none can come meanwhile.
func (p *purge) devices() error {
	return p.delete("purge command lines' logins", `
		DELETE FROM token_families WHERE id IN (
			SELECT f.id FROM token_families f WHERE f.expires_at < ?
				AND NOT EXISTS (SELECT 1 FROM refresh_tokens r WHERE r.family_id = f.id) LIMIT ?)`, p.now)
}
