package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// statement is a prepared statement of SQLite's driver, with room for what goes
// in and what comes out: it is used by one goroutine at a time.
type statement struct {
	driver.StmtExecContext
	driver.StmtQueryContext
	close func() error
	args  []driver.NamedValue
	into  []driver.Value
}

func newStatement(prepared driver.Stmt) (*statement, error) {
	exec, canExec := prepared.(driver.StmtExecContext)
	query, canQuery := prepared.(driver.StmtQueryContext)
	if !canExec || !canQuery {
		return nil, fmt.Errorf("a %T takes no context", prepared)
	}
	return &statement{StmtExecContext: exec, StmtQueryContext: query, close: prepared.Close}, nil
}

// take sets the arguments. They are of the types that drivers know: string,
// int64, and nil for NULL.
func (s *statement) take(args []driver.Value) []driver.NamedValue {
	s.args = s.args[:0]
	for i, value := range args {
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: value})
	}
	return s.args
}

// exec runs the statement. A commit that has begun must end, so no context ends it.
func (s *statement) exec(args ...driver.Value) error {
	_, err := s.ExecContext(context.Background(), s.take(args))
	return err
}

// row runs a query of one row at most, hands it to read, and reports whether there was one.
func (s *statement) row(read func(row []driver.Value) error, args ...driver.Value) (found bool, err error) {
	rows, err := s.QueryContext(context.Background(), s.take(args))
	if err != nil {
		return false, err
	}
	if n := len(rows.Columns()); len(s.into) != n {
		s.into = make([]driver.Value, n)
	}
	err = eachRow(rows, s.into, func(row []driver.Value) error {
		found = true
		if read == nil {
			return nil
		}
		return read(row)
	})
	return found, err
}

// eachRow reads all rows, one after the other into the same place.
func eachRow(rows driver.Rows, into []driver.Value, read func(row []driver.Value) error) (err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for {
		switch err := rows.Next(into); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := read(into); err != nil {
			return err
		}
	}
}

// scan takes over a row as the driver has it.
func scan(row []driver.Value, into ...any) error {
	for i, place := range into {
		ok := false
		switch place := place.(type) {
		case *string:
			*place, ok = row[i].(string)
		case *uint64:
			var n int64
			n, ok = row[i].(int64)
			*place = uint64(n) // #nosec G115 -- revisions begin at 0
		case *int:
			var n int64
			n, ok = row[i].(int64)
			*place = int(n)
		}
		if !ok {
			return errors.New("column " + strconv.Itoa(i) + " is not what was expected")
		}
	}
	return nil
}
