import { EVERYTHING, faultyDisk, NO_FAULTY_DISK } from '#test/fake/faulty-disk.ts'

import { storeOnHangingDisk } from './hanging-disk.ts'

storeOnHangingDisk('answers nothing any more (FUSE)', NO_FAULTY_DISK, async () => {
  const disk = await faultyDisk()
  return (
    disk && {
      dir: disk.dir,
      reads: false,
      hang: () => disk.fail({ error: 'HANG', ops: EVERYTHING }),
      letGo: () => disk.clear(),
      remove: () => disk.remove(),
    }
  )
})
