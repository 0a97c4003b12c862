// Package password is the way to log in with a password that this server keeps.
//
//	Service.Check    login and password → user
//	Service.SetUp    the first account, once, for whoever holds the printed link
//	Service.Create   further accounts, which administrators make; Choose, with
//	                 the link that Create returned, gives them a password
//	Service.Change   another password, for somebody who is logged in
//
// Passwords are kept as Argon2id hashes. A login that nobody has costs the same
// work as one with a wrong password and is answered with the same words. Hashing
// takes memory on purpose, so only few are made at once (hasher), and tries are
// limited for each account and each address (throttle).
//
// Sessions are not its business: package identity begins them.
package password
