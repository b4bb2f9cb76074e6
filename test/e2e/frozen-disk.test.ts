import { storeOnHangingDisk } from './hanging-disk.ts'
import { loopDisk } from './loop-disk.ts'

const NEEDS = 'needs root, loop mounts, mkfs.ext4 and python3'

storeOnHangingDisk('is frozen (fsfreeze)', NEEDS, async () => {
  const disk = await loopDisk()
  return (
    disk && {
      dir: disk.dir,
      reads: true,
      hang: () => disk.freeze(),
      letGo: () => disk.thaw(),
      remove: () => disk.remove(),
    }
  )
})
