// Package files keeps what the distribution library stores in a folder. It takes
// the place of the library's own driver for two reasons: what is answered as
// stored has reached the disk, with its folders, and the driver of the library
// brings gRPC and an exporter of traces with it, ten megabytes of memory.
//
// Drive it through the library; nothing of images or repositories belongs here.
package files
