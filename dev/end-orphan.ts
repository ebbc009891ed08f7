// A thread beside PGlite, which lets nothing else run while it works: a statement without end would outlive whoever
// started this process, since nobody hears `disconnect`.
const parent = process.ppid
let seconds = 0

setInterval(() => {
  if (process.ppid === parent) return
  seconds++
  if (seconds > 3) process.kill(process.pid, 'SIGKILL')
}, 1000)
