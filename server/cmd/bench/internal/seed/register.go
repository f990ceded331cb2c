package seed

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// Register makes a user and its devices through a running server, as people do.
func Register(ctx context.Context, addr, name string, devices int) (User, error) {
	u := User{Name: name}
	for n := range devices {
		device := fmt.Sprintf("%s.%d", name, n)
		login := map[string]string{"deviceName": device, "password": password}
		register := map[string]string{"deviceName": device, "password": password, "email": name + "@example.org"}
		if _, err := post(ctx, addr, "/register", "", register); err != nil {
			return u, err
		}
		token, err := post(ctx, addr, "/login", "", login)
		if err != nil {
			return u, err
		}
		if n == 0 {
			_, err = post(ctx, addr, "/users", token, map[string]string{"username": name})
		} else {
			_, err = post(ctx, addr, "/users/"+name+"/join", token, map[string]string{})
		}
		if err != nil {
			return u, err
		}
		u.Devices = append(u.Devices, Device{Name: device, Token: token})
	}
	return u, nil
}

// post sends a request and returns the access token of its answer, if there is one.
func post(ctx context.Context, addr, path, token string, body map[string]string) (string, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/api/v1"+path, bytes.NewReader(text))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if text, err = io.ReadAll(answer.Body); err != nil {
		return "", err
	}
	if answer.StatusCode >= 300 {
		return "", fmt.Errorf("POST %s answered %s: %s", path, answer.Status, text)
	}
	var granted struct {
		AccessToken string `json:"accessToken"`
	}
	return granted.AccessToken, json.Unmarshal(text, &granted)
}
