//! Takes away from this process the system calls that receiving, decoding and writing a file do not need: an attacker who
//! gets control by hostile media can start no program, open no other kind of socket, touch no other process and mount
//! nothing.
//!
//! A deny-list, since Python and FFmpeg use most of the others somewhere. What it denies fails as without permission.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

use std::collections::BTreeMap;
use std::process;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter_all_threads,
};

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Denied whatever their arguments are.
const DENIED: &[i64] = &[
    // other programs and processes
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_kcmp,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_tkill,
    libc::SYS_setrlimit,
    // file systems and namespaces
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_quotactl,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    // the kernel, and where most of its holes were
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
    libc::SYS_syslog,
    libc::SYS_acct,
    libc::SYS_clock_settime,
    libc::SYS_settimeofday,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    // connections to this process
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
];

#[cfg(target_arch = "x86_64")]
const DENIED_HERE: &[i64] = &[libc::SYS_fork, libc::SYS_vfork, libc::SYS_iopl, libc::SYS_ioperm];
#[cfg(not(target_arch = "x86_64"))]
const DENIED_HERE: &[i64] = &[];

/// The families that the recorder uses: the media server, name services, and (routing only) the addresses of this host.
const FAMILIES: [i32; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
const SOCKET_TYPE_MASK: u64 = 0xf;
/// Obsolete, and as raw as `SOCK_RAW`.
const SOCK_PACKET: u64 = 10;

/// Deny the system calls in all threads of this process, for good, and privileges that it does not have already.
///
/// The error says why this kernel or machine cannot; nothing is denied then.
pub fn deny_unneeded_system_calls() -> Result<(), String> {
    let mut denied: Rules = DENIED.iter().chain(DENIED_HERE).map(|number| (*number, Vec::new())).collect();
    let conditional = rules().map_err(|error| error.to_string())?;
    denied.extend(conditional);
    // glibc starts threads by it where it can, and else by `clone`, whose flags can be looked at
    let absent = Rules::from([(libc::SYS_clone3, Vec::new())]);
    let programs = [(denied, libc::EPERM), (absent, libc::ENOSYS)].map(|(rules, error)| program(rules, error));
    for program in programs {
        apply_filter_all_threads(&program?).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn program(rules: Rules, error: i32) -> Result<BpfProgram, String> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH).map_err(|error| error.to_string())?;
    let action = SeccompAction::Errno(error.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, action, architecture);
    filter.and_then(BpfProgram::try_from).map_err(|error| error.to_string())
}

fn rules() -> Result<Rules, seccompiler::BackendError> {
    use SeccompCmpArgLen::{Dword, Qword};
    use SeccompCmpOp::{Eq, MaskedEq, Ne};

    let is = |argument, length, operator, value| SeccompCondition::new(argument, length, operator, value);
    let family = |operator, family: i32| is(0, Dword, operator, u64::from(family.unsigned_abs()));
    let other_family: Result<Vec<_>, _> = FAMILIES.iter().map(|each| family(Ne, *each)).collect();
    let mut sockets = vec![
        SeccompRule::new(other_family?)?,
        SeccompRule::new(vec![family(Eq, libc::AF_NETLINK)?, is(2, Dword, Ne, 0)?])?,
    ];
    for (internet, raw) in [libc::AF_INET, libc::AF_INET6]
        .into_iter()
        .flat_map(|family| [(family, u64::from(libc::SOCK_RAW.unsigned_abs())), (family, SOCK_PACKET)])
    {
        let is_raw = is(1, Dword, MaskedEq(SOCKET_TYPE_MASK), raw)?;
        sockets.push(SeccompRule::new(vec![family(Eq, internet)?, is_raw])?);
    }
    let another_process = is(0, Dword, Ne, u64::from(process::id()))?;
    let no_thread = is(0, Qword, MaskedEq(u64::from(libc::CLONE_THREAD.unsigned_abs())), 0)?;
    Ok(Rules::from([
        (libc::SYS_socket, sockets),
        (libc::SYS_clone, vec![SeccompRule::new(vec![no_thread])?]),
        (libc::SYS_kill, vec![SeccompRule::new(vec![another_process.clone()])?]),
        (libc::SYS_tgkill, vec![SeccompRule::new(vec![another_process])?]),
        // reading limits is fine, also one's own
        (libc::SYS_prlimit64, vec![SeccompRule::new(vec![is(2, Qword, Ne, 0)?])?]),
    ]))
}
