// Package rt is the runtime under generated packages, version 2. Applications do not need it.
//
// A package is data ([Package]): an interface, a shim, and the functions in it. A generated method writes its arguments into a
// [Call] at the offsets of the function's argument block, finishes it, and reads the results from the [Reply] at the offsets of
// the result block.
//
// Errors stick: what goes wrong is kept, what comes behind it does nothing and gives zero values, and [Reply.Err] says it once.
//
//	func (m *Measured) Add(ctx context.Context, a, b int32) (int32, error) {
//		call := m.session.Begin(ctx, fnAdd)
//		defer call.End()
//		call.PutInt32(0, a)
//		call.PutInt32(4, b)
//		reply := call.Finish()
//		return reply.Int32(0), reply.Err()
//	}
package rt

import "time"

// Version is that of this package which packages are generated for.
const Version = 3

// None stands for an offset where nothing lies.
const None = -1

// Package is a generated package.
type Package struct {
	// Runtime is the version that it was generated for.
	Runtime uint32
	// Library is the library's name.
	Library string
	// Interface is its interface, as JSON.
	Interface []byte
	// Shim is the compiled shim.
	Shim []byte
	// Functions are by index.
	Functions []Function
	// Handles are by number, which counts from 1.
	Handles []HandleType
	// Libraries tells where its files are looked for.
	Libraries Libraries
}

// Libraries tells where the files of a library are looked for: each name in the folders that the variable has. What is not
// found is left to the system's loader.
type Libraries struct {
	Variable string
	Files    []string
}

// Function is a function of a package.
type Function struct {
	// Name is its name in C.
	Name string
	// Args and Results are how many bytes the fixed parts of its blocks have.
	Args, Results uint16
	// Deadline is its own; 0 for the session's.
	Deadline time.Duration
	// Idempotent tells whether a call may be made again behind a fault.
	Idempotent bool
	// Inputs is what tells one input from another; nothing where no data go in.
	Inputs []Input
	// Fails is how it reports a failure; nil where it reports none.
	Fails *Failure
	// Owned is every object in the result block that the caller owns. What is not taken out of a reply is released.
	Owned []Owned
}

// Failure is how a function reports one.
type Failure struct {
	// Code is where its code lies.
	Code Field
	// Message is where the reference to the library's text lies, or None.
	Message int
	// Symbols are names of codes, ascending by code.
	Symbols []Symbol
	// Outputs is what means something all the same.
	Outputs []Output
}

// Symbol is a code's name in the header.
type Symbol struct {
	Code int64
	Name string
}

// Field is a number in a block.
type Field struct {
	Offset uint16
	Kind   Kind
}

// Kind is how a number lies in a block. The zero value stands for none.
type Kind uint8

// Kinds of numbers.
const (
	Uint8 Kind = iota + 1
	Uint16
	Uint32
	Uint64
	Int8
	Int16
	Int32
	Int64
	Float32
	Float64
)

// Output is what comes with the error of a failed call, under the parameter's name.
type Output struct {
	Name   string
	Offset uint16
	// Form is what lies there. Number is the kind of a number, or of each of several.
	Form   Form
	Number Kind
	// Encoding is of texts.
	Encoding Encoding
}

// Form is what lies at an offset.
type Form uint8

// Forms.
const (
	FormNumber Form = iota + 1
	FormBool
	FormText
	FormBytes
	FormNumbers
	FormTexts
	FormBools
	FormTextsBytes
)

// HandleType is a type of objects.
type HandleType struct {
	// Name is its name in the contract.
	Name string
	// Release is how an object that is owned is released; nil where none ever is.
	Release *Release
	// Restore is how one is made anew when its worker has ended; nil where none is.
	Restore *Restore
}

// Release is a function that takes the last of an object, and nothing else.
type Release struct {
	// Function is its index, Offset where in its argument block the object goes.
	Function, Offset uint16
	// Image is 0 where the handle itself lies there. Else a reference to the image of a resident structure does: so many
	// bytes, of which the first eight are the handle.
	Image uint32
}

// Owned is where an object lies that the caller owns.
type Owned struct {
	Offset, Kind uint16
	// Image is as in Release.
	Image uint32
	// Release is how it is released, where that is not as its type says.
	Release *Release
}
