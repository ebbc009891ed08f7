// Loaded before wrangler, which goes on for ever, and its workerd with it, when whoever started it was killed.
const parent = process.ppid

process.once('disconnect', () => {
  // Wrangler also disconnects by itself, when it fails; then it still has a parent a moment later.
  setTimeout(() => {
    if (process.ppid === parent) return
    process.kill(process.pid, 'SIGTERM')
    setTimeout(() => process.kill(0, 'SIGKILL'), 5000).unref()
  }, 100).unref()
})
