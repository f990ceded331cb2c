//go:build linux

package main

import "time"

// size is how large and how long everything is.
type size struct {
	rounds  int
	idle    int   // users of five devices that are only connected
	busy    int   // users of five devices that change
	crowd   int   // devices of one user
	rates   []int // changes per second
	warm    time.Duration
	window  time.Duration // of a rate
	silence time.Duration // of the idle sessions
	step    time.Duration // of one rate on the way to the highest
	halves  int           // how often the way to it is halved
	stall   time.Duration // how long the slow devices do not read
	rest    time.Duration // of each kind of request
	stored  int           // users in the large database
}

// devicesEach is how many devices an ordinary user has.
const devicesEach = 5

// Sizes of a value, in bytes.
const (
	small = 100
	large = 16000
)

func full() size {
	return size{
		rounds: 3, idle: 2000, busy: 1000, crowd: 1000, rates: []int{500, 2000, 5000},
		warm: 500 * time.Millisecond, window: 1500 * time.Millisecond, silence: 27 * time.Second,
		step: 700 * time.Millisecond, halves: 3, stall: 15 * time.Second, rest: 1500 * time.Millisecond, stored: 1_000_000,
	}
}

func short() size {
	return size{
		rounds: 1, idle: 400, busy: 200, crowd: 200, rates: []int{500, 2000},
		warm: 300 * time.Millisecond, window: time.Second, silence: 9 * time.Second,
		step: 600 * time.Millisecond, halves: 1, stall: 3 * time.Second, rest: 500 * time.Millisecond, stored: 50_000,
	}
}
