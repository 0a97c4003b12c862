// Package limit holds those who ask too often to a rate: for each key, such as
// a principal or an address, a bucket of tokens that fills at a rate.
//
// A bucket is one moment (the generic cell rate algorithm): the time at which it
// will be full again. One that is full is forgotten, so that memory is for those
// who ask now; how many buckets there can be is bounded all the same.
package limit
