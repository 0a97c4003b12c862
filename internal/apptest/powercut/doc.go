// Package powercut holds the tests that cut the power of a server under load.
//
// A killed process leaves what it wrote in the page cache, which a power cut
// does not. So the data is on an ext4 file system in an image file, mounted over
// a loop device: at a random instant the server is stopped, the image is copied
// as it is, and everything else is thrown away; what counts is what a server on
// the copy has. What was only in the memory of the file system is not in the
// copy. What the file system wrote to the device is, as with a disk that keeps
// what it was given: a disk that loses its own cache is not played.
//
// The tests need root, loop devices and mkfs.ext4, so they have the build tag
// external. A build of flowwd that syncs nothing must fail them.
package powercut
