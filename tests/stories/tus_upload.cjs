// A stranger's client: uploads one file, goes on after every cut, and says what it saw.
// node tus_upload.cjs ENDPOINT TOKEN SHA256 FILE CHUNK-BYTES
const fs = require('fs')
const tus = require(process.env.TUS_JS)

const [endpoint, token, sha256, file, chunk] = process.argv.slice(2)
let failures = 0
const upload = new tus.Upload(fs.createReadStream(file), {
  endpoint,
  headers: { Authorization: `Bearer ${token}` },
  metadata: { sha256, filename: 'recording.bin' },
  uploadSize: fs.statSync(file).size,
  chunkSize: Number(chunk),
  retryDelays: Array(20).fill(1),
  onShouldRetry: () => { failures += 1; return true },
  onError: (error) => { console.error(String(error)); process.exit(1) },
  onSuccess: () => console.log(JSON.stringify({ url: upload.url, failures })),
})
upload.start()
