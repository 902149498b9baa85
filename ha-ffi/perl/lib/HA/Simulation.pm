package HA::Simulation;

# The virtual cluster.

use v5.26;
use warnings;
use HA ();

our @ISA = 'HA::Object';

sub _kind { 'simulation' }

sub play_folder { my ($class, $folder) = @_; return $class->_own(HA::FFI::get(simulation_play_folder => $folder)) }

# files: name => content.
sub play_text {
    my ($class, $text, %files) = @_;
    my @names = sort keys %files;
    my ($names, $texts) = (HA::FFI::str_list(@names), HA::FFI::str_list(@files{@names}));
    return $class->_own(HA::FFI::get(simulation_play_text => $text, $names->{data}, $texts->{data}, scalar @names));
}

sub failures {
    my ($self) = @_;
    my $count = HA::FFI::get(simulation_failure_count => $self);
    return map { HA::FFI::error_from_handle(HA::FFI::get(simulation_failure => $self, $_)) } 0 .. $count - 1;
}

sub count { my ($self) = @_; return HA::FFI::get(simulation_happening_count => $self) }

sub happening { my ($self, $index) = @_; return HA::JSON::decode(HA::FFI::get(simulation_happening_json => $self, $index)) }

sub happenings { my ($self) = @_; return map { $self->happening($_) } 0 .. $self->count - 1 }

# Those for which the recorded scenarios have a word.
sub recorded {
    my ($self) = @_;
    return map { $self->happening($_) } grep { (HA::FFI::call(simulation_happening => $self, $_))[3] } 0 .. $self->count - 1;
}

sub event {
    my ($self, $index) = @_;
    my $handle = HA::FFI::get(simulation_event => $self, $index);
    return $handle ? HA::Event->_own($handle) : undef;
}

sub places { my ($self, $sid) = @_; return @{HA::JSON::decode(HA::FFI::get(simulation_places => $self, $sid))} }

sub manager_status {
    my ($self) = @_;
    my $handle = HA::FFI::get(simulation_manager_status => $self);
    return $handle ? HA::ManagerStatus->_own($handle) : undef;
}

sub view { my ($self, $node) = @_; return HA::FFI::get_text(simulation_view => $self, $node) }

1;
