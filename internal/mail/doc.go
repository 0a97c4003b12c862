// Package mail sends mails by SMTP.
//
// The address of the server says how: smtps:// is encrypted from the first byte
// (port 465), smtp:// by STARTTLS (port 587), which a server on another machine
// must offer: a mail holds a secret link, and a connection that is not encrypted
// would show it and the password. A mail is sent once, within a time, and the
// caller is told when that failed; nothing is kept here to be tried again.
package mail
