export async function goLive() { return null }
