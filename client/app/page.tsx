export default function HomePage() {
  return <h1>Social server</h1>;
}
