package backing

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A PostgreSQL server is durable as it comes, survives a crash, and can be held still.
func TestPostgres(t *testing.T) {
	p, err := StartPostgres(t.Context(), t.TempDir(), "max_connections=20")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	}()
	if err := p.CreateDatabase(t.Context(), "one", ""); err != nil {
		t.Fatal(err)
	}
	ask := func(ctx context.Context, text string) (answer string, err error) {
		conn, err := pgx.Connect(ctx, p.URL("one"))
		if err != nil {
			return "", err
		}
		defer func() { _ = conn.Close(ctx) }()
		return answer, conn.QueryRow(ctx, text).Scan(&answer)
	}
	for setting, want := range map[string]string{"fsync": "on", "synchronous_commit": "on", "max_connections": "20"} {
		if got, err := ask(t.Context(), "SHOW "+setting); got != want || err != nil {
			t.Errorf("%s is %q, %v", setting, got, err)
		}
	}
	if _, err := ask(t.Context(), "WITH made AS (SELECT 'x') SELECT * FROM made"); err != nil {
		t.Error(err)
	}
	if err := p.StopNow(); err != nil {
		t.Fatal(err)
	}
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.CreateDatabase(t.Context(), "two", "one"); err != nil {
		t.Fatal(err)
	}
	if err := p.Freeze(); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := ask(short, "SELECT '1'"); err == nil {
		t.Error("it answers while it is frozen")
	}
	if err := p.Thaw(); err != nil {
		t.Fatal(err)
	}
	if got, err := ask(t.Context(), "SELECT '1'"); got != "1" || err != nil {
		t.Errorf("after the thaw: %q, %v", got, err)
	}
}

// A Redis server comes back empty after a kill.
func TestRedis(t *testing.T) {
	r, err := StartRedis(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Stop(); err != nil {
			t.Error(err)
		}
	}()
	client := r.Client()
	defer client.Close()
	if err := client.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := r.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := client.Ping(t.Context()).Err(); err == nil {
		t.Error("it answers though it was killed")
	}
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := client.DBSize(t.Context()).Result(); n != 0 || err != nil {
		t.Errorf("%d keys after a kill, %v", n, err)
	}
}
